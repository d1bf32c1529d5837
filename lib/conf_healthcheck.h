/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records of a configuration generation: health checks. */
#ifndef POISE_CONF_HEALTHCHECK_H
#define POISE_CONF_HEALTHCHECK_H

#include "conf_base.h"

enum conf_check_kind {
	CONF_CHECK_TCP,
	CONF_CHECK_HTTP,
	CONF_CHECK_SSL,
	CONF_CHECK_MISC,
	CONF_CHECK_TLS,
	CONF_CHECK_SMTP,
	CONF_CHECK_DNS,
	CONF_CHECK_UDP,
	CONF_CHECK_PING,
	CONF_CHECK_FILE,
	CONF_CHECK_AGENT,
	CONF_CHECK_GRPC,
	CONF_CHECK_BFD,
	CONF_CHECK_KINDS
};
/* What a check is taken for before its first result. */
enum conf_check_initial {
	CONF_CHECK_INITIAL_UNKNOWN,
	CONF_CHECK_INITIAL_UP,
	CONF_CHECK_INITIAL_DOWN,
	CONF_CHECK_INITIAL_LAST
};
enum conf_http_version { CONF_HTTP_1_0, CONF_HTTP_1_0_CLOSE, CONF_HTTP_1_1 };

struct conf_check {
	uint32_t kind;
	conf_index_t server;
	struct addr target; /* connect_ip, default the server's address */
	uint16_t port;      /* connect_port, default the server's port */
	uint16_t bind_port;
	struct addr bind; /* bindto */
	conf_string_t bind_interface;
	uint32_t fwmark;
	int64_t connect_timeout_us; /* default 5 s; the time for the whole probe where keepalived means it so */
	int64_t interval_us;        /* delay_loop of check, server, service; default 60 s */
	int64_t warmup_us;          /* longest random delay before the first run; default = interval */
	uint32_t retry; /* failures beyond the first before down; 1 for HTTP/SSL/TCP as in keepalived: see conf(5) */
	uint32_t rise;  /* successes before up, default 1 */
	int64_t delay_before_retry_us;
	uint32_t http_version;
	uint32_t enable_sni;
	uint32_t tls_verify;
	uint32_t alpha;
	conf_string_t virtualhost;
	struct conf_range urls;
	struct conf_command command; /* MISC_CHECK */
	int64_t misc_timeout_us;
	uint32_t misc_dynamic;
	uint32_t line;
	/* judgement */
	uint32_t fall;            /* failures in a row before down, then retry is fall - 1; 0 = by retry */
	uint32_t initial;         /* enum conf_check_initial */
	int64_t fast_interval_us; /* while in doubt or recovering; 0 = delay_before_retry, interval */
	int64_t down_interval_us; /* while down; 0 = interval */
	int64_t flap_backoff_us;  /* longest time that a check which falls again and again is kept down; 0 = off */
	/* TLS: HTTP over TLS, TLS_CHECK, gRPC. Files are named and their contents lie in blobs. */
	conf_string_t tls_name; /* server name to send and to verify; 0 = from virtualhost */
	conf_string_t tls_ca, tls_cert, tls_key, tls_alpn;
	struct conf_range ca_blobs, cert_blobs, key_blobs;
	struct conf_range key_password;                    /* one blob, the pass phrase of the key; or none */
	uint32_t tls_min_version;                          /* position in { any, 1.0, 1.1, 1.2, 1.3 } */
	uint32_t cert_expiry_warning, cert_expiry_failure; /* days before the end of the certificate; 0 = off */
	/* HTTP */
	conf_string_t method;                   /* 0 = GET */
	conf_string_t headers;                  /* "Name: value" lines, each ended by \n */
	uint32_t drain_status;                  /* the status by which a server asks to be drained, 0 = none */
	conf_string_t drain_header, drain_body; /* and what else the answer must have: a header line, an expression */
	/* TCP_CHECK, UDP_CHECK: the conversation */
	struct conf_range steps;
	uint32_t require_reply;
	uint32_t min_reply, max_reply; /* bytes; max 0 = any */
	/* DNS_CHECK: name; SMTP_CHECK: name for HELO; FILE_CHECK: path; GRPC_CHECK: service; AGENT_CHECK: text to send;
	 * BFD_CHECK: the session
	 */
	conf_string_t name;
	uint32_t dns_type; /* as on the wire */
	/* FILE_CHECK as in keepalived: name is the path of that track_file; misc_dynamic: value x weight is added to the
	 * server's. 0 = no track_file, and the file speaks for itself. */
	conf_string_t track_file;
	int32_t file_weight;
};

enum conf_step_kind {
	CONF_STEP_SEND,
	CONF_STEP_SEND_HEX,
	CONF_STEP_EXPECT,
	CONF_STEP_EXPECT_HEX,
	CONF_STEP_EXPECT_REGEX,
	CONF_STEP_EXPECT_BEGIN, /* as far as both go; hexadecimal digits, x for any */
	CONF_STEP_KINDS
};

/* text: with escapes \r \n \t \\ \xHH, or hexadecimal digits, or an expression. */
struct conf_step {
	uint32_t kind;
	conf_string_t text;
};

/* A piece of a file. */
#define CONF_BLOB_SIZE 508
struct conf_blob {
	uint32_t length;
	uint8_t bytes[CONF_BLOB_SIZE];
};

/* keepalived's names for options of PCRE2, in lower case. */
enum conf_regex_option {
	CONF_REGEX_ALLOW_EMPTY_CLASS,
	CONF_REGEX_ALT_BSUX,
	CONF_REGEX_AUTO_CALLOUT,
	CONF_REGEX_CASELESS,
	CONF_REGEX_DOLLAR_ENDONLY,
	CONF_REGEX_DOTALL,
	CONF_REGEX_DUPNAMES,
	CONF_REGEX_EXTENDED,
	CONF_REGEX_FIRSTLINE,
	CONF_REGEX_MATCH_UNSET_BACKREF,
	CONF_REGEX_MULTILINE,
	CONF_REGEX_NEVER_UCP,
	CONF_REGEX_NEVER_UTF,
	CONF_REGEX_NO_AUTO_CAPTURE,
	CONF_REGEX_NO_AUTO_POSSESS,
	CONF_REGEX_NO_DOTSTAR_ANCHOR,
	CONF_REGEX_NO_START_OPTIMIZE,
	CONF_REGEX_UCP,
	CONF_REGEX_UNGREEDY,
	CONF_REGEX_UTF,
	CONF_REGEX_NEVER_BACKSLASH_C,
	CONF_REGEX_ALT_CIRCUMFLEX,
	CONF_REGEX_ALT_VERBNAMES,
	CONF_REGEX_USE_OFFSET_LIMIT,
	CONF_REGEX_OPTIONS
};

struct conf_url {
	conf_string_t path;
	conf_string_t digest; /* 32 hex digits: MD5 of the body */
	conf_string_t regex;
	conf_string_t virtualhost;     /* 0 = the check's, the server's, the service's */
	struct conf_range status;      /* empty: 200-299 */
	uint32_t regex_min, regex_max; /* offsets in the body between which a match must begin; max 0 = any */
	uint32_t regex_no_match;       /* the body must not match */
	uint32_t regex_options;        /* bits by enum conf_regex_option */
};

struct conf_status_range {
	uint16_t low, high;
};

#endif
