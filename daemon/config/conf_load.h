/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One load of a configuration: the tree walked with the directive tables, the records under construction, and what is
 * remembered beside them until they are complete. */
#ifndef POISE_CONF_LOAD_H
#define POISE_CONF_LOAD_H

#include "conf.h"
#include "conf_directive.h"
#include "conf_source.h"

/* garp_extra_if: announce again this often what lies on other interfaces; us < 0 = not given. */
struct conf_garp_extra {
	int64_t us, is_all;
};

/* Values of global_defs that others inherit; -1 = not given. */
struct conf_defaults {
	int64_t garp_delay_us, garp_refresh_us, garp_interval_us, gna_interval_us, garp_lower_delay_us;
	int64_t garp_repeat, garp_refresh_repeat, garp_lower_repeat;
	struct conf_garp_extra garp_extra;
	int64_t startup_delay_us, down_timer_adverts;
	int64_t version, strict, skip_check_adv_addr, lower_prio_no_advert, higher_prio_send_advert, check_unicast_src,
		min_garp;
	int64_t smtp_alert, smtp_alert_vrrp, smtp_alert_checker, notify_priority;
	int64_t snmp_keepalived;
	conf_string_t interface;             /* of static addresses that name none */
	const struct conf_node *sync_daemon; /* lvs_sync_daemon, its instance is looked up at the end */
	const struct conf_word *sync_instance;
	const struct conf_node *sync_by_instance; /* lvs_sync_daemon_interface, in the instance sync_owner */
	conf_index_t sync_owner;
};

/* What a record has beside its fields while it is built; -1 = not given. */
struct conf_extra {
	uint64_t given[2]; /* of the directives of the block from 64 on */
	int64_t connect_timeout_us, delay_before_retry_us, warmup_us, delay_loop_us, retry;
	int64_t down_timer_adverts, native_ipv6, check_unicast_src, accept, use_vmac_addr;
	struct conf_link link;             /* of an instance: use_vmac, use_ipvlan */
	int64_t weight;                    /* of a service: of its servers that have none */
	bool granularity;                  /* of a service: persistence_granularity was there */
	bool has_state;                    /* of an instance */
	bool no_password;                  /* of an instance: auth_pass without one, which was said */
	bool no_auth_type;                 /* of an instance: auth_type without one that counts, which was said */
	bool program_missing;              /* of a script: keepalived leaves it out */
	bool user_missing;                 /* of a script: likewise */
	bool has_weight;                   /* of a track: else the script's weight is the default */
	int64_t max_hops;                  /* of a bfd_instance */
	struct conf_garp_extra garp_extra; /* of an instance */
	int64_t written_port;              /* of a server, before its service changed it */
	int64_t family;                    /* ip_family; AF_UNSPEC = not given */
	conf_string_t virtualhost;
	conf_string_t group;               /* of a service: name of its virtual_server_group */
	const struct conf_word *reference; /* a name that is looked up at the end */
	const struct conf_node *sorry;     /* sorry_server */
	int64_t sorry_forward;
	struct conf_tunnel sorry_tunnel;
};

/* One for each record of a table that comes from a block (or a line) of the file. */
struct conf_object {
	uint32_t top, at;         /* its node: conf_object_node() */
	uint64_t given;           /* bit i: directive i of the block was there; further ones are in `extra` */
	struct conf_extra *extra; /* NULL: nothing was given, as in most of thousands of servers */
};

struct conf_objects {
	struct conf_object *objects;
	uint32_t count, room;
};

/* Notifications of an object, kept until its end so that they lie together. */
struct conf_pending {
	struct conf_notify *notifies;
	uint32_t count, room;
};

/* Numbers of records by the offset of their name, + 1; 0 = none. */
struct conf_names {
	uint32_t *index, room;
};

/* What a garp_group says of an interface; -1 = nothing. */
struct conf_garp_gap {
	const struct conf_word *interface;
	int64_t garp_us, gna_us;
};

/* The longest name of an object. */
#define CONF_NAME_MAX 127
/* Most servers of a service, and most things that one object tracks. */
#define CONF_SERVERS_MAX 65536
#define CONF_TRACKS_MAX 1024

/* What the block SSL says. */
struct conf_ssl {
	conf_string_t cert, key;
	struct conf_range cert_blobs, key_blobs, password;
};

/* A record as a block begins with it. */
struct conf_fresh {
	const struct conf_block *block; /* NULL = none has begun */
	void *record;
};

/* A statement of the outermost level. Those of which there may be thousands are given back once they were read, and cut
 * again if there is something to say about them. */
struct conf_top {
	const struct conf_node *node; /* NULL: given back */
	uint32_t n;                   /* nodes */
	struct conf_start start;
};

/* A keyword that was looked up, by the address of its text. */
struct conf_lookup {
	const struct conf_block *block;
	const char *name;
	const struct conf_directive *directive;
	unsigned number;
};
#define CONF_LOOKUPS 128

struct conf_load {
	struct conf_top *tops;
	uint32_t n_tops, tops_room;
	struct conf_tree again; /* of what was given back */
	struct conf_sources *sources;
	struct conf_diag *diag;
	struct conf_builder *builder;
	enum conf_dialect dialect;
	bool check_files;     /* look whether scripts exist */
	bool no_files;        /* read no file that the configuration names */
	bool keeps_all;       /* gives back nothing */
	bool program_missing; /* what conf_command() read last is not on this machine */
	bool user_missing;    /* script_user or its group is not */
	struct conf_defaults defaults;
	struct conf_objects objects[CONF_TABLE_COUNT];
	struct conf_blocks extras;
	struct conf_fresh fresh[CONF_TABLE_COUNT];
	conf_index_t current[CONF_TABLE_COUNT]; /* record under construction */
	struct conf_pending pending[CONF_OWNER_SERVICE + 1];
	struct conf_names names[CONF_TABLE_COUNT];
	struct conf_lookup lookups[CONF_LOOKUPS];
	bool servers_rise; /* those of the current service, by address and port */
	struct conf_ssl ssl;
	struct conf_garp_gap *garp_gaps;
	uint32_t n_garp_gaps, garp_gaps_room;
	uint32_t unplaced_rules[2]; /* without a preference, IPv4 and IPv6 */
	const char *unopened;       /* the block at the top of the file whose `{` was missing, until the next block */
};

/* What is remembered beside the tables. */
void conf_load_free(struct conf_load *load);

/* Completes what refers to other objects or inherits from them (conf_finish.c). */
void conf_finish(struct conf_load *load);
/* What the keywords about the other node mean together (conf_pair.c). */
void conf_finish_pair(struct conf_load *load);
/* What the SNMP keywords mean together (conf_snmp.c). */
void conf_finish_snmp(struct conf_load *load);
/* Drops records marked as dead: an address without a family, a track of kind CONF_TRACK_DEAD, a peer without a family,
 * a secret without a length (conf_compact.c). */
#define CONF_TRACK_DEAD UINT32_MAX
void conf_compact(struct conf_load *load);
/* The rules about finished tables (conf_check.c). */
void conf_check(struct conf_load *load);

/* ---- for the functions that read statements ---- */

/* Begins a record: adds it, remembers its node, sets the defaults of the block's lines, makes it the current one. */
void *conf_object_begin(struct conf_load *load, const struct conf_block *block, const struct conf_node *node);
/* The current record of a table. */
void *conf_current(struct conf_load *load, enum conf_table table);
struct conf_object *conf_object(struct conf_load *load, enum conf_table table, conf_index_t index);
/* The statement that a record comes from. */
const struct conf_node *conf_object_node(struct conf_load *load, enum conf_table table, conf_index_t index);
/* Begins a statement of the outermost level; its number is that of the last one then. */
void conf_top_add(struct conf_load *load, const struct conf_node *node, uint32_t n, const struct conf_start *start);
const struct conf_node *conf_top_node(struct conf_load *load, uint32_t top);
/* What a record has beside its fields: to read, and to write into. */
const struct conf_extra *conf_extra(struct conf_load *load, enum conf_table table, conf_index_t index);
struct conf_extra *conf_extra_write(struct conf_load *load, enum conf_table table, conf_index_t index);
/* Those of the current record. */
const struct conf_extra *conf_current_extra(struct conf_load *load, enum conf_table table);
struct conf_extra *conf_current_extra_write(struct conf_load *load, enum conf_table table);
/* Into that of the record that was added last. */
struct conf_extra *conf_last_extra_write(struct conf_load *load, enum conf_table table);
/* Adds a record that has no block of its own (an address, a track); remembers where it stands. */
void *conf_record_add(struct conf_load *load, enum conf_table table, const struct conf_node *node);
/* The name of a block, its second word, which becomes known as that of the next record of the table. Returns false
 * (said) when the block cannot be read: no name, or a name that is taken. */
bool conf_name_take(struct conf_load *load, enum conf_table table, const struct conf_node *node, conf_string_t *name);
void conf_name_add(struct conf_load *load, enum conf_table table, conf_string_t name, conf_index_t index);
/* Takes the record under construction, which nothing refers to yet, out of its table, and forgets its name (0 = it has
 * none). */
void conf_object_drop(struct conf_load *load, enum conf_table table, conf_string_t name);
/* Whether the object of this name was dropped, which was said. */
bool conf_name_is_dropped(struct conf_load *load, enum conf_table table, const char *name);
conf_index_t conf_name_find(struct conf_load *load, enum conf_table table, const char *name);
/* Calls take() with each instance that `group { A B }` in the block of an object names, on as many lines as the
 * operator likes, and with its word. What is no instance is said. */
typedef void conf_member_fn(struct conf_load *load, conf_index_t object, conf_index_t instance,
	const struct conf_node *node, uint32_t word);
void conf_each_member(struct conf_load *load, enum conf_table table, conf_index_t object, conf_member_fn *take);
/* conf_directive_find() for a name whose text stays where it is as long as the load (a word of the file, or of the
 * program): the same keywords come thousands of times. */
const struct conf_directive *conf_directive_of(
	struct conf_load *load, const struct conf_block *block, const char *name, unsigned *number);
/* Where it is remembered that directive `number` of its block was there, as bit number % 64. */
uint64_t *conf_given_bits(struct conf_load *load, enum conf_table table, conf_index_t index, unsigned number);
/* Whether the keyword (a text of the program) was given in the block of this record. */
bool conf_given(struct conf_load *load, const struct conf_block *block, conf_index_t index, const char *name);
/* The last statement with this keyword in the block of this record, or the block itself. */
const struct conf_node *conf_statement(
	struct conf_load *load, enum conf_table table, conf_index_t index, const char *name);
/* Reads every statement of a node's block with the lines of the block. */
void conf_block_apply(struct conf_load *load, const struct conf_block *block, const struct conf_node *node);
/* Reads one statement of a block. Returns its line, NULL when there is none (said). */
const struct conf_directive *conf_statement_apply(
	struct conf_load *load, const struct conf_block *block, const struct conf_node *node);
/* Says what is wrong with a statement that the block does not know (conf_unknown.c). */
void conf_unknown(struct conf_load *load, const struct conf_block *block, const struct conf_node *node);

/* Finding about a word (or the statement when i is beyond its words). */
void conf_note(struct conf_load *load, const struct conf_node *node, uint32_t i, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void conf_warn(struct conf_load *load, const struct conf_node *node, uint32_t i, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void conf_hint(struct conf_load *load, const struct conf_node *node, uint32_t i, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void conf_error(struct conf_load *load, const struct conf_node *node, uint32_t i, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Warns about words behind the last one that means something. */
void conf_extra_words(struct conf_load *load, const struct conf_node *node, uint32_t used);
/* The text of a word, "" when there are not so many. */
const char *conf_word(const struct conf_node *node, uint32_t i);
conf_string_t conf_text(struct conf_load *load, const char *text);

/* ---- values ---- */
enum conf_value {
	CONF_VALUE_OK,
	CONF_VALUE_BAD,   /* not of this kind */
	CONF_VALUE_RANGE, /* too small or too large */
};
enum conf_value conf_parse_number(const char *text, int64_t low, int64_t high, int64_t *out);
/* Seconds with decimals, to microseconds. */
enum conf_value conf_parse_time(const char *text, int64_t low_us, int64_t high_us, int64_t *out);
/* on/off/true/false/yes/no. */
/* The time without its part of a second, said, in keepalived's dialect; words[1] holds it. */
int64_t conf_cut_seconds(struct conf_load *load, const struct conf_node *node, int64_t us);
bool conf_parse_bool(const char *text, bool *out);
/* Position of text in a list that ends with NULL, or -1. */
int conf_parse_choice(const char *text, const char *const *choices);
/* "1 to 255", "0.01 to 255 seconds"; buf has 96 bytes. */
const char *conf_range_text(const struct conf_directive *d, char *buf);
/* Seconds without needless zeros; buf has 32 bytes. */
const char *conf_time_text(int64_t us, char *buf);

/* Reads a command: words[first] holds it. One quoted word is cut at its blanks, with '...' and "..." keeping together;
 * user and group follow it. Unquoted: with rest_is_command all words are its arguments, else user and group follow.
 * Returns false (said) when there is none. */
bool conf_command(struct conf_load *load, const struct conf_node *node, uint32_t first, bool rest_is_command,
	struct conf_command *out);
/* Whether the user and the group that words[i] and the next one name exist, as far as files are looked at. Says when
 * one does not, and what is done then. */
bool conf_user_exists(struct conf_load *load, const struct conf_node *node, uint32_t i, const char *then);
/* Queues a notification of the current object of this kind. */
void conf_notify_add(
	struct conf_load *load, enum conf_owner owner, enum conf_notify_event event, const struct conf_node *node);
/* Moves the queued ones into the table. */
struct conf_range conf_notify_flush(struct conf_load *load, enum conf_owner owner, conf_index_t object);
/* ADDRESS [PORT] from words[first] on. Returns the number of words used, 0 when it is no address (said). */
uint32_t conf_endpoint(
	struct conf_load *load, const struct conf_node *node, uint32_t first, struct addr *addr, uint16_t *port);

#endif
