/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions of the SNMP library: addresses, communities, users and their keys (RFC 3414), and the discovery of a
 * receiver's engine as a question that may stay unanswered. Runs in the snmp role. Passphrases become keys here and go
 * nowhere else. */
#include "sender_usm.h"
#include <string.h>

static const char *peer_name(const struct conf_trap_target *t, char *buf, size_t size)
{
	char text[ADDR_TEXT];

	snprintf(buf, size, "%s:%s", t->addr.family == AF_INET6 ? "udp6" : "udp",
		addr_format_port(&t->addr, t->port, text));
	return buf;
}

static const struct conf_secret *secret_of(const struct conf *conf, conf_index_t i)
{
	return i < conf->n_trap_secrets ? &conf->trap_secrets[i] : NULL;
}

/* ---- keys ---- */
static const oid *auth_protocol(uint8_t auth)
{
	switch ((enum conf_usm_auth)auth) {
	case CONF_USM_MD5:
		return usmHMACMD5AuthProtocol;
	case CONF_USM_SHA1:
		return usmHMACSHA1AuthProtocol;
	case CONF_USM_SHA224:
		return usmHMAC128SHA224AuthProtocol;
	case CONF_USM_SHA256:
		return usmHMAC192SHA256AuthProtocol;
	case CONF_USM_SHA384:
		return usmHMAC256SHA384AuthProtocol;
	case CONF_USM_SHA512:
		return usmHMAC384SHA512AuthProtocol;
	case CONF_USM_NO_AUTH:
	case CONF_USM_AUTHS:
		break;
	}
	return usmNoAuthProtocol;
}

#define USM_PROTOCOL_LENGTH 10 /* of all of them */

static bool make_key(const oid *hash, const struct conf_secret *secret, u_char *key, size_t *length)
{
	return secret &&
	       generate_Ku(hash, USM_PROTOCOL_LENGTH, secret->bytes, secret->length, key, length) == SNMPERR_SUCCESS;
}

/* The protocols lie in memory of the session's own, which the library frees. */
static bool session_user(netsnmp_session *s, const struct conf *conf, const struct conf_trap_target *t)
{
	const oid *hash = auth_protocol(t->auth);

	s->securityName = (char *)conf_string(conf, t->user);
	s->securityNameLen = strlen(s->securityName);
	s->securityModel = SNMP_SEC_MODEL_USM;
	s->securityLevel = SNMP_SEC_LEVEL_NOAUTH;
	if (!t->auth)
		return true;
	s->securityLevel = t->priv ? SNMP_SEC_LEVEL_AUTHPRIV : SNMP_SEC_LEVEL_AUTHNOPRIV;
	s->securityAuthProto = (oid *)hash;
	s->securityAuthProtoLen = USM_PROTOCOL_LENGTH;
	s->securityAuthKeyLen = sizeof(s->securityAuthKey);
	if (!make_key(hash, secret_of(conf, t->auth_secret), s->securityAuthKey, &s->securityAuthKeyLen))
		return false;
	if (!t->priv)
		return true;
	s->securityPrivProto = usmAESPrivProtocol;
	s->securityPrivProtoLen = USM_PROTOCOL_LENGTH;
	s->securityPrivKeyLen = sizeof(s->securityPrivKey);
	return make_key(hash, secret_of(conf, t->priv_secret), s->securityPrivKey, &s->securityPrivKeyLen);
}

void sender_session_forget(
	const struct conf *conf, const struct conf_trap_target *t, const struct sender_engine *engine)
{
	const char *name = conf_string(conf, t->user);
	struct usmUser *user;

	if (!t->user || engine->length == 0)
		return;
	user = usm_get_user(engine->id, engine->length, name);
	if (!user)
		return;
	usm_remove_user(user);
	usm_free_user(user);
}

/* ---- sessions ---- */
static void session_begin(netsnmp_session *s, const struct conf_trap_target *t, char *peer)
{
	snmp_sess_init(s);
	s->peername = peer;
	s->timeout = (long)t->timeout_us;
	s->retries = t->inform ? (int)t->retries : 0;
	s->flags |= SNMP_FLAGS_DONT_PROBE; /* that would block */
}

static void *session_open(netsnmp_session *s, const char **why)
{
	void *handle = snmp_sess_open(s);

	if (!handle)
		*why = snmp_api_errstring(s->s_snmp_errno);
	/* The library has copied them. */
	explicit_bzero(s->securityAuthKey, sizeof(s->securityAuthKey));
	explicit_bzero(s->securityPrivKey, sizeof(s->securityPrivKey));
	return handle;
}

void *sender_session_open(
	const struct conf *conf, const struct conf_trap_target *t, const struct sender_engine *engine, const char **why)
{
	static const char standard[] = "public";
	const struct conf_secret *community = secret_of(conf, t->community);
	char peer[ADDR_TEXT + 8];
	netsnmp_session s;

	session_begin(&s, t, (char *)peer_name(t, peer, sizeof(peer)));
	if (!t->user) {
		s.version = SNMP_VERSION_2c;
		s.community = (u_char *)(community ? community->bytes : (const uint8_t *)standard);
		s.community_len = community ? community->length : sizeof(standard) - 1;
		return session_open(&s, why);
	}
	s.version = SNMP_VERSION_3;
	s.securityEngineID = s.contextEngineID = (u_char *)engine->id;
	s.securityEngineIDLen = s.contextEngineIDLen = engine->length;
	if (!session_user(&s, conf, t)) {
		*why = "the keys cannot be made";
		return NULL;
	}
	return session_open(&s, why);
}

/* With no engine in the session the library would ask for it by itself, and wait for the answer: it gets one that no
 * receiver can know, and a receiver says so in the name of its own (RFC 3414, 3.2 (3)). */
void *sender_session_open_probe(const struct conf_trap_target *t, const char **why)
{
	static u_char nobodys[] = {0x80, 0x00, 0x1f, 0x88, 0x05, 'p', 'o', 'i', 's', 'e', 0, 'a', 's', 'k', 's'};
	char peer[ADDR_TEXT + 8], nobody[] = "";
	netsnmp_session s;

	session_begin(&s, t, (char *)peer_name(t, peer, sizeof(peer)));
	s.version = SNMP_VERSION_3;
	s.retries = 0;
	s.securityName = nobody;
	s.securityModel = SNMP_SEC_MODEL_USM;
	s.securityLevel = SNMP_SEC_LEVEL_NOAUTH;
	s.securityEngineID = nobodys;
	s.securityEngineIDLen = sizeof(nobodys);
	return session_open(&s, why);
}

/* The library wants the nobody of a discovery among its users (RFC 3414, 4). */
static bool nobody_is_known(void)
{
	struct usmUser *user = usm_get_user(NULL, 0, "");

	if (user)
		return true;
	user = usm_create_user();
	if (!user)
		return false;
	user->name = strdup("");
	user->secName = strdup("");
	user->authProtocol = snmp_duplicate_objid(usmNoAuthProtocol, USM_PROTOCOL_LENGTH);
	user->authProtocolLen = USM_PROTOCOL_LENGTH;
	user->privProtocol = snmp_duplicate_objid(usmNoPrivProtocol, USM_PROTOCOL_LENGTH);
	user->privProtocolLen = USM_PROTOCOL_LENGTH;
	if (user->name && user->secName && user->authProtocol && user->privProtocol)
		return usm_add_user(user) != NULL;
	usm_free_user(user);
	return false;
}

static int probe_answered(int operation, netsnmp_session *session, int id, netsnmp_pdu *pdu, void *magic)
{
	struct sender_engine *answer = magic;

	(void)operation;
	(void)session;
	(void)id;
	if (!pdu || pdu->command != SNMP_MSG_REPORT || pdu->securityEngineIDLen == 0 ||
		pdu->securityEngineIDLen > sizeof(answer->id))
		return 1;
	answer->length = pdu->securityEngineIDLen;
	memcpy(answer->id, pdu->securityEngineID, answer->length);
	return 1;
}

bool sender_session_ask(void *handle, struct sender_engine *answer)
{
	netsnmp_pdu *pdu = nobody_is_known() ? snmp_pdu_create(SNMP_MSG_GET) : NULL;

	if (!pdu)
		return false;
	pdu->version = SNMP_VERSION_3;
	pdu->securityName = strdup("");
	pdu->securityLevel = SNMP_SEC_LEVEL_NOAUTH;
	pdu->securityModel = SNMP_SEC_MODEL_USM;
	if (snmp_sess_async_send(handle, pdu, probe_answered, answer) != 0)
		return true;
	snmp_free_pdu(pdu);
	return false;
}

int sender_session_fd(void *handle)
{
	const netsnmp_transport *transport = snmp_sess_transport(handle);

	return transport ? transport->sock : -1;
}

size_t sender_engine_id(const struct conf *conf, uint8_t id[SENDER_ENGINE_ID_MAX])
{
	static const uint8_t made[] = {0x80, 0x00, 0x1f, 0x88, 0x04}; /* of Net-SNMP's arc; format 4: text */
	const char *hex = conf_string(conf, conf->global->snmp_engine_id);
	const char *node = conf_string(conf, conf->global->node);
	size_t length = strlen(hex) / 2;

	if (length > 0 && length <= SENDER_ENGINE_ID_MAX) {
		for (size_t i = 0; i < length; i++) {
			unsigned octet = 0;

			sscanf(hex + 2 * i, "%2x", &octet);
			id[i] = (uint8_t)octet;
		}
		return length;
	}
	memcpy(id, made, sizeof(made));
	length = strnlen(node, SENDER_ENGINE_ID_MAX - sizeof(made));
	memcpy(id + sizeof(made), node, length);
	return sizeof(made) + length;
}
