/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libnetsnmp as an AgentX subagent, driven from our own loop. Runs in the snmp role only. Its reconnect and ping alarms
 * never run by themselves: the role lets them run (agent_open()) when a probe has shown that the master answers. */
#include "library.h"

#include <net-snmp/agent/agent_callbacks.h>
#include <net-snmp/agent/agent_sysORTable.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>

#include "agent.h"
#include "agent_answer.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define AGENT_MIBS 6
#define READ_ROUNDS 8
/* A session that is lost is tried again by the library this long after, if agent_open() lets it. */
#define AGENT_REOPEN_S 1

static struct {
	const struct agent_ops *ops;
	void *arg;
	bool is_started; /* has been let connect once */
	bool is_open;
	bool is_other; /* something else than a request came: descriptors may have changed */
	netsnmp_callback library_callback;
	struct {
		struct mib_snapshot snapshot;
		netsnmp_handler_registration *registration; /* NULL = not enabled */
	} mibs[AGENT_MIBS];
} agent;

/* ---- answering ---- */
static void request_answer(struct mib_snapshot *s, const struct mib_view *view, bool is_next,
	netsnmp_request_info *request, netsnmp_agent_request_info *info)
{
	netsnmp_variable_list *var = request->requestvb;
	struct library_value value;
	struct mib_value v;
	struct mib_oid name;
	oid ids[MIB_OID_MAX];

	library_to_oid(&name, var->name, var->name_length);
	if (is_next) {
		/* From before our subtree: everything in it comes after. */
		bool inclusive = request->inclusive;

		if (mib_oid_compare(&name, &s->mib->root) < 0)
			name = s->mib->root;
		if (!mib_next(s, view, &name, inclusive, &v))
			return; /* the agent goes on with what lies behind */
		snmp_set_var_objid(var, ids, library_oid(ids, &name));
	} else if (!mib_get(s, view, &name, &v)) {
		netsnmp_set_request_error(info, request, SNMP_NOSUCHINSTANCE);
		return;
	}
	library_value(&value, &v);
	snmp_set_var_typed_value(var, value.type, value.data, value.size);
}

static int agent_handle(netsnmp_mib_handler *handler, netsnmp_handler_registration *registration,
	netsnmp_agent_request_info *info, netsnmp_request_info *requests)
{
	struct mib_snapshot *s = handler->myvoid;
	const struct mib_view *view = agent.ops->view(agent.arg);

	(void)registration;
	if (info->mode != MODE_GET && info->mode != MODE_GETNEXT)
		return SNMP_ERR_NOERROR;
	if (view)
		mib_snapshot_refresh(s, view, AGENT_SNAPSHOT_US);
	for (netsnmp_request_info *request = requests; request; request = request->next) {
		if (request->processed)
			continue;
		if (view)
			request_answer(s, view, info->mode == MODE_GETNEXT, request, info);
		else if (info->mode == MODE_GET)
			netsnmp_set_request_error(info, request, SNMP_NOSUCHINSTANCE);
	}
	return SNMP_ERR_NOERROR;
}

/* What the master asks arrives here first. */
static int on_packet(int operation, netsnmp_session *session, int request_id, netsnmp_pdu *pdu, void *magic)
{
	struct mib_snapshot *snapshots[AGENT_MIBS] = {0};
	const struct mib_view *view;
	netsnmp_pdu *answer;

	if (operation != NETSNMP_CALLBACK_OP_RECEIVED_MESSAGE || !agent_can_answer(pdu)) {
		agent.is_other = true;
		return agent.library_callback(operation, session, request_id, pdu, magic);
	}
	view = agent.ops->view(agent.arg);
	for (unsigned slot = 0; slot < AGENT_MIBS; slot++) {
		if (!agent.mibs[slot].registration)
			continue;
		snapshots[slot] = &agent.mibs[slot].snapshot;
		if (view)
			mib_snapshot_refresh(snapshots[slot], view, AGENT_SNAPSHOT_US);
	}
	answer = agent_answer(pdu, snapshots, AGENT_MIBS, view);
	if (answer && !snmp_send(session, answer))
		snmp_free_pdu(answer);
	return 1;
}

/* ---- registering ---- */
static int mib_register(unsigned slot, const struct mib *mib)
{
	oid root[MIB_OID_MAX];
	size_t n = library_oid(root, &mib->root);
	netsnmp_mib_handler *handler;
	netsnmp_handler_registration *r;

	if (mib_snapshot_init(&agent.mibs[slot].snapshot, mib) < 0)
		return -ENOMEM;
	handler = netsnmp_create_handler(mib->name, agent_handle);
	if (!handler)
		return -ENOMEM;
	handler->myvoid = &agent.mibs[slot].snapshot;
	r = netsnmp_handler_registration_create(mib->name, handler, root, n, HANDLER_CAN_RONLY);
	if (!r) {
		netsnmp_handler_free(handler);
		return -ENOMEM;
	}
	if (netsnmp_register_handler(r) != MIB_REGISTERED_OK)
		return -EBUSY; /* the library has freed it */
	agent.mibs[slot].registration = r;
	register_sysORTable(root, n, mib->name);
	return 0;
}

static void mib_unregister(unsigned slot)
{
	oid root[MIB_OID_MAX];
	size_t n = library_oid(root, &agent.mibs[slot].snapshot.mib->root);

	unregister_sysORTable(root, n);
	netsnmp_unregister_handler(agent.mibs[slot].registration);
	agent.mibs[slot].registration = NULL;
	mib_snapshot_free(&agent.mibs[slot].snapshot);
}

int agent_enable(const struct mib *mib, bool enable)
{
	int free_slot = -1;

	for (unsigned slot = 0; slot < AGENT_MIBS; slot++) {
		if (!agent.mibs[slot].registration) {
			free_slot = free_slot < 0 ? (int)slot : free_slot;
		} else if (agent.mibs[slot].snapshot.mib == mib) {
			if (!enable)
				mib_unregister(slot);
			return 0;
		}
	}
	if (!enable)
		return 0;
	if (free_slot < 0)
		return -ENOSPC;
	int rc = mib_register((unsigned)free_slot, mib);

	if (rc < 0)
		mib_snapshot_free(&agent.mibs[free_slot].snapshot);
	return rc;
}

/* ---- the library's callbacks ---- */
static int callback_session(int major, int minor, void *server, void *client)
{
	netsnmp_session *session = server;

	(void)major;
	(void)minor;
	(void)client;
	session->timeout = AGENT_TIMEOUT_US;
	session->retries = 0;
	return 0;
}

/* A send to a master that stops reading gives up after this; nothing of the library's is inherited. */
static void descriptors_limit(void)
{
	const struct timeval limit = {.tv_usec = AGENT_TIMEOUT_US};
	int fds[4], n = agent_descriptors(fds, 4);

	for (int i = 0; i < n; i++) {
		setsockopt(fds[i], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
		fcntl(fds[i], F_SETFD, FD_CLOEXEC);
	}
}

static int callback_started(int major, int minor, void *server, void *client)
{
	netsnmp_session *session = server;

	(void)major;
	(void)minor;
	(void)client;
	agent.is_open = true;
	if (session->callback != on_packet) {
		agent.library_callback = session->callback;
		session->callback = on_packet;
	}
	return 0;
}

static int callback_stopped(int major, int minor, void *server, void *client)
{
	(void)major;
	(void)minor;
	(void)server;
	(void)client;
	if (agent.is_open) {
		agent.is_open = false;
		agent.ops->lost(agent.arg);
	}
	return 0;
}

/* ---- life ---- */
int agent_init(const char *socket, const struct agent_ops *ops, void *arg)
{
	agent.ops = ops;
	agent.arg = arg;
	library_start();
	netsnmp_enable_subagent();
	netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_X_SOCKET, socket);
	snmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_SESSION_INIT, callback_session, NULL);
	snmp_register_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_START, callback_started, NULL);
	snmp_register_callback(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_INDEX_STOP, callback_stopped, NULL);
	if (init_agent(LIBRARY_NAME) != 0)
		return -EIO;
	/* init_agent() has set its own interval: only what is set after it counts. */
	netsnmp_ds_set_int(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_AGENTX_PING_INTERVAL, AGENT_REOPEN_S);
	return 0;
}

int agent_open(void)
{
	if (!agent.is_started) {
		agent.is_started = true;
		/* The library connects when it thinks that its configuration is read. */
		snmp_call_callbacks(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_POST_READ_CONFIG, NULL);
	} else {
		run_alarms(); /* connects when the library's own pause is over */
	}
	netsnmp_check_outstanding_agent_requests();
	if (!agent.is_open)
		return -1;
	descriptors_limit();
	return 0;
}

bool agent_is_open(void)
{
	return agent.is_open;
}

void agent_close(void)
{
	agent.is_open = false; /* no "lost" for an end that is wanted */
	if (agent.is_started)
		snmp_shutdown(LIBRARY_NAME);
	shutdown_agent();
}

/* ---- descriptors ---- */
static int library_select(fd_set *set)
{
	struct timeval unused = {0};
	int n = 0, block = 1;

	FD_ZERO(set);
	snmp_select_info(&n, set, &unused, &block);
	return n;
}

int agent_descriptors(int *fds, int max)
{
	fd_set set;
	int n = library_select(&set), count = 0;

	for (int fd = 0; fd < n && count < max; fd++) {
		if (FD_ISSET(fd, &set))
			fds[count++] = fd;
	}
	return count;
}

/* What the library does itself goes through pipes of its own: those rounds are done here, without the loop between. */
bool agent_read(void)
{
	agent.is_other = false;
	for (int round = 0; round < READ_ROUNDS; round++) {
		struct timeval now = {0};
		fd_set set;
		int n = library_select(&set);

		/* Ask the kernel: what a call before this has read would block. */
		if (n == 0 || select(n, &set, NULL, NULL, &now) <= 0)
			break;
		snmp_read(&set);
		netsnmp_check_outstanding_agent_requests();
	}
	return !agent.is_other && agent.is_open;
}

void agent_housekeep(void)
{
	snmp_timeout();
	netsnmp_check_outstanding_agent_requests();
}

/* ---- notifications ---- */

/* The descriptor of the session; the library has pipes of its own beside it. */
static int session_descriptor(void)
{
	int fds[8], n = agent_descriptors(fds, 8), type;
	socklen_t length = sizeof(type);

	for (int i = 0; i < n; i++) {
		if (getsockopt(fds[i], SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM)
			return fds[i];
	}
	return -1;
}

bool agent_can_send(void)
{
	struct pollfd pollfd = {.fd = session_descriptor(), .events = POLLOUT};

	/* For a unix socket the kernel says so while three quarters of the buffer are free. */
	return agent.is_open && pollfd.fd >= 0 && poll(&pollfd, 1, 0) == 1 && (pollfd.revents & POLLOUT) &&
	       !(pollfd.revents & (POLLERR | POLLHUP));
}

int agent_send(const struct trap *trap)
{
	netsnmp_variable_list *list;

	if (!agent.is_open)
		return -1;
	list = library_variables(trap);
	if (!list)
		return -1;
	send_v2trap(list);
	snmp_free_varbind(list);
	return agent.is_open ? 0 : -1;
}

uint32_t agent_uptime_cs(void)
{
	return (uint32_t)netsnmp_get_agent_uptime();
}
