/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MIB tables over the configuration and the boards, and finding cells in them. Nothing here knows net-snmp: the agent
 * (agent.c) asks for the cell at or after an object identifier and gets a plain value. */
#ifndef POISE_SNMP_MIB_H
#define POISE_SNMP_MIB_H

#include "board.h"
#include "conf.h"
#include "status.h"

#define MIB_OID_MAX 48
#define MIB_INDEX_MAX 20 /* ifIndex, VRID, address type, length, 16 octets */
#define MIB_OCTETS_MAX 255

/* An object identifier; n sub-identifiers. */
struct mib_oid {
	uint32_t n;
	uint32_t id[MIB_OID_MAX];
};

#define MIB_OID(...)                                                                                                   \
	{                                                                                                              \
		.n = sizeof((uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t), .id = { __VA_ARGS__ }                       \
	}

/* The roots. */
#define MIB_KEEPALIVED 1, 3, 6, 1, 4, 1, 9586, 100, 5
#define MIB_VRRP2 1, 3, 6, 1, 2, 1, 68
#define MIB_VRRP3 1, 3, 6, 1, 2, 1, 207
#define MIB_POISE 1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 7673 /* POISE-MIB.txt says why there */

enum mib_type {
	MIB_INTEGER,
	MIB_UNSIGNED, /* Unsigned32 and Gauge32 */
	MIB_COUNTER32,
	MIB_COUNTER64,
	MIB_TIMETICKS, /* centiseconds; TimeStamp too */
	MIB_IPADDRESS,
	MIB_OCTETS,
};

struct mib_value {
	enum mib_type type;
	int32_t integer;
	uint64_t number; /* of the unsigned types */
	uint32_t length; /* of octets */
	uint8_t octets[MIB_OCTETS_MAX];
};

/* What the cells are computed from. A board is NULL when it is not there or belongs to another generation than conf. */
struct mib_view {
	const struct conf *conf;
	const struct board *boards[ROLE_COUNT];
	struct mono now;
	uint32_t agent_uptime_cs; /* sysUpTime of the master */
};

/* A row: its index, and what the table's value function needs to find the object again. */
struct mib_row {
	uint32_t n;
	uint32_t index[MIB_INDEX_MAX];
	uint32_t object, member;
};

struct mib_rows {
	struct mib_row *row;
	uint32_t n, room;
};

/* Columns lie below `entry`, in ascending order, ended by 0; a group of scalars is a table with the one row {0}. */
struct mib_table {
	struct mib_oid entry;
	const uint16_t *columns;
	/* Appends the rows with mib_rows_add(), in any order. */
	void (*rows)(const struct mib_view *view, struct mib_rows *rows);
	/* Computes a cell. False when the row has no such value (a sparse column). */
	bool (*value)(const struct mib_view *view, const struct mib_row *row, uint32_t column, struct mib_value *v);
};

/* A registered subtree. Tables ascend: every cell of one comes before the entry of the next. */
struct mib {
	const char *name;
	struct mib_oid root;
	const struct mib_table *tables;
	uint32_t n_tables;
};

extern const struct mib mib_keepalived_global, mib_keepalived_vrrp, mib_keepalived_check;
extern const struct mib mib_vrrp2, mib_vrrp3, mib_poise;

/* The rows of all tables of a MIB as they are at one moment. */
struct mib_snapshot {
	const struct mib *mib;
	struct mib_rows *rows; /* one for each table */
	uint64_t generation;
	struct mono taken;
};

/* Returns 0 or -ENOMEM. */
int mib_snapshot_init(struct mib_snapshot *s, const struct mib *mib);
void mib_snapshot_free(struct mib_snapshot *s);
/* Lists and sorts the rows again when the generation changed or the last listing is older than max_age_us. */
void mib_snapshot_refresh(struct mib_snapshot *s, const struct mib_view *view, int64_t max_age_us);

/* The cell with exactly this name. False: there is none. */
bool mib_get(
	const struct mib_snapshot *s, const struct mib_view *view, const struct mib_oid *name, struct mib_value *v);
/* The first cell whose name is greater than *name (or equal, with `inclusive`); *name becomes its name. False: no more.
 */
bool mib_next(const struct mib_snapshot *s, const struct mib_view *view, struct mib_oid *name, bool inclusive,
	struct mib_value *v);

/* Lexicographic order: <0, 0, >0. */
int mib_oid_compare(const struct mib_oid *a, const struct mib_oid *b);
/* Appends; what does not fit is left out (no table here comes near). */
void mib_oid_add(struct mib_oid *oid, uint32_t id);

/* ---- for the tables ---- */

/* A row for object (and member) with the given index; NULL when memory is short (the row is then missing). */
struct mib_row *mib_rows_add(
	struct mib_rows *rows, uint32_t object, uint32_t member, uint32_t n, const uint32_t *index);
/* Rows 1 to n for the objects 0 to n - 1. */
void mib_rows_numbered(struct mib_rows *rows, uint32_t n);
/* Goes through the real servers of all services, each with its index: the service's number and its own in that service,
 * from 1 on; with_sorry: a sorry server is number 1 of its service. *walk is zeroed before the first call. */
struct mib_walk {
	uint32_t service, member;
	conf_index_t server;
	uint32_t index[2];
};
bool mib_walk_servers(const struct conf *conf, bool with_sorry, struct mib_walk *walk);
/* The rows function of scalars. */
void mib_rows_scalar(const struct mib_view *view, struct mib_rows *rows);

/* Each fills *v and returns true, so that a value function can return them. */
bool mib_integer(struct mib_value *v, int64_t x);
bool mib_unsigned(struct mib_value *v, uint64_t x);  /* larger numbers stick at the maximum */
bool mib_counter32(struct mib_value *v, uint64_t x); /* wraps */
bool mib_counter64(struct mib_value *v, uint64_t x);
bool mib_timeticks(struct mib_value *v, int64_t cs);
bool mib_text(struct mib_value *v, const char *text); /* cut at MIB_OCTETS_MAX */
bool mib_octets(struct mib_value *v, const void *bytes, size_t n);
/* InetAddress: 4 or 16 octets; false for an absent address. */
bool mib_inet_address(struct mib_value *v, const struct addr *a);
/* InetAddressType: ipv4(1), ipv6(2), unknown(0). */
bool mib_inet_type(struct mib_value *v, uint8_t family);
/* IpAddress: 0.0.0.0 for what is not IPv4. */
bool mib_ip_address(struct mib_value *v, const struct addr *a);
/* DateAndTime in UTC; false for 0. */
bool mib_date(struct mib_value *v, int64_t real_us);
/* TruthValue and the like: 1 or 2. */
bool mib_truth(struct mib_value *v, bool yes);
/* The command's words with spaces between; false when there is none. */
bool mib_command(struct mib_value *v, const struct conf *conf, const struct conf_command *command);
/* The command of the first notification of this kind in the range; false when there is none. */
bool mib_notify(struct mib_value *v, const struct conf *conf, struct conf_range notifies, enum conf_notify_event event);

/* Copy a record from a board of the view. False when there is none. */
bool mib_load_instance(const struct mib_view *view, conf_index_t i, struct status_instance *st);
bool mib_load_group(const struct mib_view *view, conf_index_t i, struct status_group *st);
bool mib_load_service(const struct mib_view *view, conf_index_t i, struct status_service *st);
bool mib_load_server(const struct mib_view *view, conf_index_t i, struct status_server *st);
bool mib_load_health(const struct mib_view *view, conf_index_t i, struct status_health *st);
bool mib_load_check(const struct mib_view *view, conf_index_t i, struct status_check *st);
/* All health checkers as one (status_add_checks()); false when none of them says anything. */
bool mib_load_checks(const struct mib_view *view, struct status_checks *sum);

/* Is the server in use as far as its health goes? Unknown counts as up unless it starts as down (alpha). */
bool mib_server_is_up(const struct mib_view *view, conf_index_t server);
uint32_t mib_servers_up(const struct mib_view *view, conf_index_t service);

#endif
