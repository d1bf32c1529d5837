/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The parent process: births, deaths, generations, descriptors that need privilege, and the routing of boards and
 * doorbells between the roles. It parses nothing but fixed-size messages and its own intent file. */
#ifndef POISE_PARENT_H
#define POISE_PARENT_H

#include "board.h"
#include "conf.h"
#include "fetch.h"
#include "intent.h"
#include "keeper.h"
#include "log.h"
#include "loop.h"
#include "msg.h"
#include "sandbox.h"
#include "scribe.h"
#include "status.h"
#include "supervise.h"
#include <limits.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/types.h>

struct options {
	const char *config_file;
	const char *run_dir;
	const char *dialect;       /* NULL = by the file's name */
	const char *config_id;     /* of @host lines, NULL = the host's name */
	const char *script_socket; /* where the script role's own unit listens, NULL = a child like the others */
	const char *what;          /* NULL = run; else an option of the config role, which does it instead */
	bool foreground, log_console, verbose_check;
	enum log_level level;
};

enum child_vote { VOTE_NOT_ASKED, VOTE_AWAITED, VOTE_READY };

struct child {
	struct parent *parent;
	enum role role;
	pid_t pid; /* 0 = not running */
	struct channel channel;
	struct loop_io *io;
	struct board *board; /* the newest one, also after the role's death: its successor reads it */
	uint32_t owed;       /* whose boards it has to be given, because a message about them did not fit */
	struct supervise supervise;
	struct timer restart;
	struct status_role status;
	enum child_vote vote;
};

/* WAITING: for the network namespace of the first configuration. */
enum reload_phase { RELOAD_IDLE, RELOAD_PARSING, RELOAD_WEIGHING, RELOAD_WAITING, RELOAD_VOTING };

/* What is to be brought into use. */
enum reload_goal {
	RELOAD_FILE,  /* the configuration file */
	RELOAD_APPLY, /* another file, for now */
	RELOAD_PLAN,  /* nothing yet: the table goes to control, and is kept for the order that may follow it */
	RELOAD_POOL,  /* what is in use, with a server more or less */
	RELOAD_BACK,  /* what was in use before a file that nobody confirmed */
};

struct reload_order {
	enum reload_goal goal;
	uint64_t request;          /* of the client that waits for the outcome, 0 = none */
	char file[256];            /* "" = the configuration file */
	char who[80];              /* "root (process 812)", "" = nobody asked */
	bool must_not_cut;         /* connections: of a signal, which cannot say --allow */
	bool is_quiet;             /* a plan for its own sake: its findings are for who asked */
	int64_t confirm_us;        /* of RELOAD_APPLY; 0 = it stays */
	struct pool_intent change; /* of RELOAD_POOL; no service: what is remembered has changed already */
};

struct reload {
	enum reload_phase phase;
	bool again;    /* asked for once more meanwhile */
	bool may_pass; /* why it was not brought into use has nothing to do with the file */
	struct reload_order order;
	pid_t reader;        /* the config role that reads for this order, 0 = none */
	loop_child_fn *done; /* is told its end */
	int table_fd;        /* what the config role writes into */
	int findings_fd;     /* what it says */
	struct loop_io *findings_io;
	char findings[2048]; /* an unfinished line */
	size_t findings_used;
	char first_error[WHY_SIZE], first_warning[WHY_SIZE];
	uint32_t n_warnings;
	struct conf *base; /* as read */
	struct conf *next; /* with the changes of the pool */
	bool *stale;       /* of intents.pool: the base needs it no more */
	struct mono started;
	struct timer deadline;
};

/* A config role that was started before there was anything to read, and waits for its order. */
struct standby {
	pid_t pid; /* 0 = none */
	int fd;    /* its standard input: when that ends, so does it */
	struct stat program;
	struct timer due;
};

/* A table that was read for a plan. */
struct candidate {
	struct conf *base; /* NULL = none */
	uint64_t request;
	char file[256];
};

/* What is gone back to when an applied file is not confirmed. */
struct confirmation {
	struct conf *before; /* NULL = nothing waits to be confirmed */
	char file_before[256];
	struct timer timer;
};

/* A cut of a generation that roles were given. */
#define SHARES (2 * ROLE_COUNT)
struct share {
	uint64_t generation; /* 0 = none */
	uint64_t filled;     /* the tables that hold anything in it */
	int fd;
};

enum stop_phase { STOP_NOT, STOP_VRRP, STOP_OTHERS, STOP_HOOK, STOP_SCRIPT };

/* startup_script or shutdown_script, as long as somebody waits for it. */
struct hook {
	bool holds_start, holds_stop;
	struct timer limit;
};

struct parent {
	struct options options;
	struct loop *loop;
	char user_name[LOGIN_NAME_MAX], user[SANDBOX_USER_SIZE]; /* who the roles run as */
	struct scribe scribe;
	int pid_fd;       /* the locked pid file */
	bool has_crashed; /* the life before this one ended without a stop */
	int listener_fd;  /* poisectl's socket */
	int ledger_fds[ROLE_COUNT];
	int heart_fd;          /* last heartbeats; for vrrp */
	int marks_fd;          /* what signed advertisements leave behind; for vrrp */
	int paths_fd;          /* the ledger of routes and rules */
	int ipvs_namespace_fd; /* the namespace that the ipvs role is born into, -1 = ours */
	struct child children[ROLE_COUNT];
	struct conf *conf; /* the committed generation with all tables */
	struct conf *base; /* the same without the changes of the pool */
	struct candidate candidate;
	struct confirmation confirmation;
	uint64_t generation;
	struct board *board;
	struct intents intents;
	struct keeper keeper;    /* of their file */
	struct fetcher *fetcher; /* of what is lent; NULL until it is */
	struct loan *loans;      /* what somebody waits for */
	struct timer peer_due;   /* what the other node told is to be written, and brought into use */
	bool peer_changed_pool;  /* of that: the table in use has to change */
	struct status_daemon daemon;
	struct reload reload;
	struct standby standby;
	struct share shares[SHARES];
	struct timer watch;
	struct mono last_watch;
	int64_t patience_us;
	struct timer give_up; /* vrrp has been away for longer than the successor's patience */
	struct hook hook;
	enum stop_phase stop_phase;
	struct timer stop_deadline;
	int exit_code;
};

/* ---- parent.c ---- */
/* Runs the daemon, its roles as `user`; returns the exit status. */
int parent_run(const struct options *options, const struct passwd *user);
/* Makes the board of the committed generation and gives it to its readers. */
void parent_publish_board(struct parent *p);
/* Stores a record of the own board and tells its readers. */
void parent_store(struct parent *p, unsigned table, uint32_t index, const void *record, size_t size);
void parent_event(struct parent *p, struct event *event);
/* Tells a role that runs something about the board of another one, if it reads that. What does not fit is owed: the
 * role is given the board itself as soon as there is room, which tells it everything. */
void parent_tell(struct child *to, enum role about, enum msg_type type, const void *m, size_t size);
/* Gives a role that runs the board of another one, if it reads that and there is one. */
void parent_give_board(struct parent *p, struct child *to, enum role of);
/* Gives a role the boards that it reads, as far as they exist. */
void parent_send_boards(struct parent *p, struct child *to);

/* ---- child.c ---- */
void child_init(struct parent *p, enum role role);
/* Starts the role's program and hands it everything it needs. Failure is a death that is tried again. */
void child_start(struct child *c);
/* The same for one that was never started, if the configuration has work for it. A role that has begun stays. */
void child_start_if_needed(struct child *c);
/* True for vrrp when a former life has left something in the kernel. */
bool child_has_past(const struct child *c);
void child_kill(struct child *c, const char *why);
/* Sends the committed generation to a role that has just started. */
void child_send_generation(struct child *c, const struct conf *conf, bool is_first);
/* The role switches to the generation that it was sent, or forgets it. */
void child_send_decide(struct child *c, uint64_t generation, bool commit);
void child_set_state(struct child *c, enum role_state state, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* In a child that was forked: closes what it holds beside the standard descriptors and these (-1 = none). Its program
 * may be long in coming, and nobody is to take it for the parent meanwhile, by a lock or a channel. */
void child_keep_only(const int *fds, unsigned n);
/* Runs `poise-vrrp --release`: takes away the addresses that the role cannot any more. */
void child_release_addresses(struct parent *p);

/* ---- hook.c ---- */
/* Before the roles of the first generation are started: those that would act on the network are held back while
 * startup_script runs. hook_startup() has it run when they have had their turn. */
void hook_hold(struct parent *p);
void hook_startup(struct parent *p);
/* True for a role that waits for startup_script. */
bool hook_holds(const struct parent *p, enum role role);
/* Has shutdown_script run; p->hook.holds_stop until it is over. */
void hook_shutdown(struct parent *p);
void hook_done(struct parent *p, const struct msg_hook_done *m);
/* The script role has ended: nobody waits any more. */
void hook_lost(struct parent *p);

/* ---- lend.c ---- */
/* The checker wants a descriptor for a check: it gets it, or is told why not. */
void lend_wanted(struct child *c, const struct msg_want_file *m);

/* ---- reader.c ---- */
/* Starts the config role for p->reload.order; done() is told its end, its table is p->reload.table_fd. Returns 0 or
 * -errno. */
int reader_start(struct parent *p, loop_child_fn *done);
/* A config role has ended: the one that reads, or one that stood by. */
void reader_ended(pid_t pid, const siginfo_t *info, void *arg);
/* Runs a program with descriptors of ours under other numbers, and no others. Returns 0 and the process, or -errno; a
 * program that cannot be run is a process that ends with status 127. */
#define READER_MOVES 4
struct reader_move {
	int from, to;
};
int reader_spawn(const char *path, const char *const *argv, const struct reader_move *moves, unsigned n, pid_t *pid);
/* It has ended: what it said last is passed on. */
void reader_close(struct parent *p);

/* ---- standby.c ---- */
void standby_init(struct parent *p);
/* A load is over: has the next config role started soon, while nobody waits for it. */
void standby_prepare(struct parent *p);
/* Gives the order to the config role that stands by. Returns its process, or 0 when there is none to rely on. */
pid_t standby_take(struct parent *p, const char *path, const char *const *argv, int table, int findings);
/* One that has no order any more, or never got one, has ended. */
void standby_ended(struct parent *p, pid_t pid);
/* Sends it away, and starts no other: the daemon stops. */
void standby_dismiss(struct parent *p);

/* ---- reload.c ---- */
/* Begins to carry out an order. Returns 0, or -EALREADY when another one is under way (asked for by a signal, the file
 * is read once more after it), or the daemon stops. */
int reload_begin(struct parent *p, const struct reload_order *order);
void reload_vote(struct child *c, const struct msg_vote *vote);
/* Control says whether the table that was read for a signal would cut connections. */
void reload_weighed(struct parent *p, const struct msg_weighed *m);
/* The daemon stops: nothing is switched any more, because that would start roles that have been stopped. */
void reload_abandon(struct parent *p);
/* A role has ended: its vote is not waited for. */
void reload_absent(struct parent *p);

/* ---- read_mark.c ---- */
/* Makes the reload_file that the configuration in use names, if any: files are about to be read. */
void read_mark_set(const struct parent *p);
/* Removes the one that conf names (NULL: none): they were read. */
void read_mark_clear(const struct parent *p, const struct conf *conf);

/* ---- apply.c ---- */
/* A table has been committed for this order: keeps or forgets what can be gone back to. */
void apply_committed(struct parent *p, const struct reload_order *order, struct conf *old_base);
/* The applied file stays. */
void apply_confirm(struct parent *p, const struct msg_command *m, const char *who);
void apply_free(struct parent *p);
/* Takes over a table that was read for a plan, with where it came from. */
void apply_keep_candidate(struct parent *p, struct conf *base, const struct reload *r);
/* Gives away the kept table when it was read for the same request; NULL when there is none. */
struct conf *apply_take_candidate(struct parent *p, const struct reload_order *order);

/* ---- pool.c ---- */
/* `base` with the changes of the pool and the one of the order: a sealed table of this generation (base itself when it
 * is one already and there are no changes). Marks in *stale (malloc'ed, may stay NULL) which changes `base` has no use
 * for. NULL with errno. */
struct conf *pool_build(
	const struct parent *p, struct conf *base, uint64_t generation, const struct reload_order *order, bool **stale);
/* A table has been committed: the order's change is kept, stale ones are settled when the file was read anew. */
void pool_committed(struct parent *p, const struct reload_order *order, const bool *stale);
/* Fills the table of the pool's changes of a new board. */
void pool_fill_board(const struct parent *p, struct board *board);
/* Begins to add or remove a server; answers when it cannot. */
void pool_command(struct parent *p, const struct msg_command *m, const char *who);
/* A server was added or removed on the other node: the same is done here when that is newer than what is known. */
void pool_hear_peer(struct parent *p, const struct msg_peer_pool *m);
void pool_init(struct parent *p);
/* The other node's wishes have changed the intents: they are written soon, all together. */
void pool_owe(struct parent *p);

/* ---- share.c ---- */
/* The generation as the role may see it: a descriptor that stays the parent's, or -errno. */
int share_table(struct parent *p, const struct conf *conf, enum role role);
/* Lets go of all generations but this one. */
void share_forget(struct parent *p, uint64_t but);

/* ---- admin.c ---- */
/* "root (process 812)" */
void admin_describe(const struct msg_command *m, char *buf, size_t size);
/* Begins to keep the intents in their file. */
/* What was asked for before the start; a file that is not understood is kept beside. */
void admin_read_intents(struct parent *p);
void admin_keep_intents(struct parent *p);
/* The intents have changed: writes their file. */
void admin_write_intents(struct parent *p);
/* Carries out a client's command on servers and answers it. */
void admin_command(struct parent *p, const struct msg_command *m);
void admin_answer(struct parent *p, uint64_t request, enum msg_status status, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The other node's operator wants this of a server: taken over when it is newer than what is wished here. */
void admin_hear_peer(struct parent *p, const struct msg_peer_admin *m);
/* Fills the table of administration of a new board from the intents. */
void admin_fill_board(struct parent *p, struct board *board);
/* The intent file: under /var/lib/poise for the default run directory, else inside the run directory. */
const char *admin_file(const struct parent *p, char buf[PATH_MAX]);

/* ---- namespace.c ---- */
/* Enters the namespaces of the first configuration. Returns 0, or -errno with the reason in why: one that does not
 * exist yet may be made (-ENOENT), and then this can be tried again. */
int namespace_enter(struct parent *p, const struct conf *conf, char why[WHY_SIZE]);
/* Says that a change of namespaces needs a restart. */
void namespace_compare(const struct conf *old, const struct conf *next);

/* ---- stop.c ---- */
void stop_begin(struct parent *p);
/* A role has ended while the daemon stops. */
void stop_advance(struct parent *p);

/* ---- program.c ---- */
/* Where a program of ours lies: the build tree when poised itself runs from there, else libexec. Returns 0 or -errno.
 */
int program_path(const char *folder, const char *name, char buf[PATH_MAX]);
int program_path_role(enum role role, char buf[PATH_MAX]);

#endif
