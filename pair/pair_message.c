/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Encodes and decodes the datagrams between the two nodes. Used by the pair role, its unit tests and the fuzz target;
 * never reads beyond what was received and never allocates. */
#include "pair_message.h"
#include <endian.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <string.h>

static const uint8_t magic[4] = {'P', 'o', 'i', 's'};

enum field {
	FIELD_NODE = 1,
	FIELD_SOFTWARE,
	FIELD_FLAGS,
	FIELD_WANT,
	FIELD_ANSWERED,
	FIELD_WALK, /* number, entries */
	FIELD_HAVE,
	FIELD_HELD,
	FIELD_CONFIG, /* digest, objects */
	FIELD_CONFIG_HAVE,
	FIELD_CLOCK,
	FIELD_LAYOUT,
	FIELD_TAKEN,
	FIELD_PART = 16, /* of a digest: walk, part */
	FIELD_BUCKETS,
	FIELD_FIRST = 24, /* of objects: configuration, number of the first */
	FIELD_OBJECT,     /* digest, name */
	FIELD_SERVICE = 32,
	FIELD_SERVER,
	FIELD_ADMIN, /* admin, weight, since, until, drain_end, keep_known */
	FIELD_WHY,
	FIELD_ASKED, /* when the last command came */
	FIELD_POOL,  /* bits, weight, since */
};

/* Bits of a server's change at run time. */
#define POOL_REMOVED 1u
#define POOL_SETTLED 2u

/* ---- writing ---- */

struct writer {
	uint8_t *buf;
	size_t size, limit;
};

static bool put_field(struct writer *w, enum field type, const void *data, size_t size)
{
	uint16_t head[2] = {htobe16((uint16_t)type), htobe16((uint16_t)size)};

	if (w->size + sizeof(head) + size > w->limit)
		return false;
	memcpy(w->buf + w->size, head, sizeof(head));
	memcpy(w->buf + w->size + sizeof(head), data, size);
	w->size += sizeof(head) + size;
	return true;
}

static void put_text(struct writer *w, enum field type, const char *text, size_t room)
{
	put_field(w, type, text, strnlen(text, room));
}

static void put_u32(struct writer *w, enum field type, uint32_t value)
{
	value = htobe32(value);
	put_field(w, type, &value, sizeof(value));
}

static void put_u64(struct writer *w, enum field type, uint64_t value)
{
	value = htobe64(value);
	put_field(w, type, &value, sizeof(value));
}

/* A field of two numbers. */
static void put_pair(struct writer *w, enum field type, uint64_t a, uint32_t b)
{
	uint8_t data[12];

	a = htobe64(a);
	b = htobe32(b);
	memcpy(data, &a, sizeof(a));
	memcpy(data + 8, &b, sizeof(b));
	put_field(w, type, data, sizeof(data));
}

static void put_state(struct writer *w, const struct pair_state *s)
{
	put_text(w, FIELD_NODE, s->node, sizeof(s->node));
	put_text(w, FIELD_SOFTWARE, s->software, sizeof(s->software));
	put_u32(w, FIELD_FLAGS, s->flags);
	put_u64(w, FIELD_WANT, s->want);
	put_u64(w, FIELD_ANSWERED, s->answered);
	put_pair(w, FIELD_WALK, s->walk, s->own);
	if (s->taken_known)
		put_u32(w, FIELD_TAKEN, s->taken);
	put_u64(w, FIELD_HAVE, s->have);
	if (s->held_known)
		put_u32(w, FIELD_HELD, s->held);
	put_pair(w, FIELD_CONFIG, s->config, s->objects);
	put_u64(w, FIELD_CONFIG_HAVE, s->config_have);
	put_u64(w, FIELD_CLOCK, s->clock);
	put_u32(w, FIELD_LAYOUT, s->layout);
}

static void put_digest(struct writer *w, const struct pair_digest *d)
{
	uint8_t data[DIGEST_RECORD_BUCKETS * 12];

	for (size_t i = 0; i < DIGEST_RECORD_BUCKETS; i++) {
		uint32_t count = htobe32(d->buckets[i].count);
		uint64_t sum = htobe64(d->buckets[i].sum);

		memcpy(data + 12 * i, &count, sizeof(count));
		memcpy(data + 12 * i + 4, &sum, sizeof(sum));
	}
	put_pair(w, FIELD_PART, d->walk, d->part);
	put_field(w, FIELD_BUCKETS, data, sizeof(data));
}

static void put_objects(struct writer *w, struct pair_objects *o)
{
	uint8_t data[8 + PAIR_NAME];
	uint32_t n;

	put_pair(w, FIELD_FIRST, o->config, o->first);
	for (n = 0; n < o->n; n++) {
		size_t length = strnlen(o->list[n].name, PAIR_NAME - 1);
		uint64_t digest = htobe64(o->list[n].digest);

		memcpy(data, &digest, sizeof(digest));
		memcpy(data + 8, o->list[n].name, length);
		if (!put_field(w, FIELD_OBJECT, data, 8 + length))
			break;
	}
	o->n = n;
}

static void put_admin(struct writer *w, const struct pair_admin *a)
{
	const uint32_t small[4] = {htobe32(a->admin.admin), htobe32((uint32_t)a->admin.weight),
		htobe32(a->admin.drain_end), htobe32(a->admin.keep_known)};
	const uint64_t times[2] = {
		htobe64((uint64_t)a->admin.since_real_us), htobe64((uint64_t)a->admin.until_real_us)};
	uint8_t data[sizeof(small) + sizeof(times)];

	memcpy(data, small, sizeof(small));
	memcpy(data + sizeof(small), times, sizeof(times));
	put_text(w, FIELD_SERVICE, a->service, sizeof(a->service));
	put_text(w, FIELD_SERVER, a->server, sizeof(a->server));
	put_field(w, FIELD_ADMIN, data, sizeof(data));
	put_text(w, FIELD_WHY, a->admin.why, sizeof(a->admin.why));
	put_u64(w, FIELD_ASKED, (uint64_t)a->admin.asked_real_us);
}

static void put_pool(struct writer *w, const struct pair_pool *p)
{
	const uint32_t small[2] = {
		htobe32((p->pool.is_removed ? POOL_REMOVED : 0) | (p->pool.is_settled ? POOL_SETTLED : 0)),
		htobe32((uint32_t)p->pool.weight)};
	const uint64_t since = htobe64((uint64_t)p->pool.since_real_us);
	uint8_t data[sizeof(small) + sizeof(since)];

	memcpy(data, small, sizeof(small));
	memcpy(data + sizeof(small), &since, sizeof(since));
	put_text(w, FIELD_SERVICE, p->service, sizeof(p->service));
	put_text(w, FIELD_SERVER, p->server, sizeof(p->server));
	put_field(w, FIELD_POOL, data, sizeof(data));
	put_text(w, FIELD_WHY, p->pool.why, sizeof(p->pool.why));
}

static void put_header(uint8_t *buf, const struct pair_message *m, size_t size)
{
	const uint64_t numbers[4] = {htobe64(m->session), htobe64(m->number), htobe64(m->challenge), htobe64(m->echo)};
	uint16_t whole = htobe16((uint16_t)size);

	memcpy(buf, magic, sizeof(magic));
	buf[4] = PAIR_VERSION;
	buf[5] = m->type;
	memcpy(buf + 6, &whole, sizeof(whole));
	memcpy(buf + 8, numbers, sizeof(numbers));
}

static void sign(const uint8_t *data, size_t size, const uint8_t *key, size_t key_size, uint8_t mac[PAIR_MAC])
{
	unsigned length = PAIR_MAC;

	HMAC(EVP_sha256(), key, (int)key_size, data, size, mac, &length);
}

size_t pair_message_encode(struct pair_message *m, const uint8_t *key, size_t key_size, uint8_t buf[PAIR_SIZE])
{
	struct writer w = {.buf = buf, .size = PAIR_HEADER, .limit = PAIR_SIZE - PAIR_MAC};

	switch ((enum pair_type)m->type) {
	case PAIR_STATE:
		put_state(&w, &m->u.state);
		break;
	case PAIR_DIGEST:
		put_digest(&w, &m->u.digest);
		break;
	case PAIR_OBJECTS:
		put_objects(&w, &m->u.objects);
		break;
	case PAIR_ADMIN:
		put_admin(&w, &m->u.admin);
		break;
	case PAIR_POOL:
		put_pool(&w, &m->u.pool);
		break;
	}
	put_header(buf, m, w.size + PAIR_MAC);
	sign(buf, w.size, key, key_size, buf + w.size);
	return w.size + PAIR_MAC;
}

/* ---- reading ---- */

static uint16_t get16(const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return be16toh(value);
}

static uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return be32toh(value);
}

static uint64_t get64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return be64toh(value);
}

struct field_view {
	unsigned type;
	const uint8_t *data;
	size_t size;
};

/* Text for people and names: what is not printable does not get through. */
static void take_text(const struct field_view *f, char *out, size_t room)
{
	size_t n = f->size < room - 1 ? f->size : room - 1;

	memset(out, 0, room);
	for (size_t i = 0; i < n; i++)
		out[i] = f->data[i] < ' ' || f->data[i] == 0x7f ? '?' : (char)f->data[i];
}

static void take_u32(const struct field_view *f, uint32_t *out)
{
	if (f->size == sizeof(*out))
		*out = get32(f->data);
}

static void take_u64(const struct field_view *f, uint64_t *out)
{
	if (f->size == sizeof(*out))
		*out = get64(f->data);
}

static void take_pair(const struct field_view *f, uint64_t *a, uint32_t *b)
{
	if (f->size != 12)
		return;
	*a = get64(f->data);
	*b = get32(f->data + 8);
}

static void take_state_field(const struct field_view *f, struct pair_state *s)
{
	switch (f->type) {
	case FIELD_NODE:
		take_text(f, s->node, sizeof(s->node));
		break;
	case FIELD_SOFTWARE:
		take_text(f, s->software, sizeof(s->software));
		break;
	case FIELD_FLAGS:
		take_u32(f, &s->flags);
		break;
	case FIELD_WANT:
		take_u64(f, &s->want);
		break;
	case FIELD_ANSWERED:
		take_u64(f, &s->answered);
		break;
	case FIELD_WALK:
		take_pair(f, &s->walk, &s->own);
		break;
	case FIELD_HAVE:
		take_u64(f, &s->have);
		break;
	case FIELD_HELD:
		take_u32(f, &s->held);
		s->held_known = s->held <= 1000;
		break;
	case FIELD_TAKEN:
		take_u32(f, &s->taken);
		s->taken_known = s->taken > 0 && s->taken <= 1000;
		break;
	case FIELD_CONFIG:
		take_pair(f, &s->config, &s->objects);
		break;
	case FIELD_CONFIG_HAVE:
		take_u64(f, &s->config_have);
		break;
	case FIELD_CLOCK:
		take_u64(f, &s->clock);
		break;
	case FIELD_LAYOUT:
		take_u32(f, &s->layout);
		break;
	}
}

static void take_digest_field(const struct field_view *f, struct pair_digest *d)
{
	if (f->type == FIELD_PART) {
		take_pair(f, &d->walk, &d->part);
	} else if (f->type == FIELD_BUCKETS && f->size == sizeof(d->buckets) / sizeof(d->buckets[0]) * 12) {
		for (size_t i = 0; i < DIGEST_RECORD_BUCKETS; i++) {
			d->buckets[i].count = get32(f->data + 12 * i);
			d->buckets[i].sum = get64(f->data + 12 * i + 4);
		}
	}
}

static void take_object_field(const struct field_view *f, struct pair_objects *o)
{
	if (f->type == FIELD_FIRST) {
		take_pair(f, &o->config, &o->first);
	} else if (f->type == FIELD_OBJECT && f->size >= 8 && o->n < PAIR_OBJECTS_MAX) {
		const struct field_view name = {.data = f->data + 8, .size = f->size - 8};

		o->list[o->n].digest = get64(f->data);
		take_text(&name, o->list[o->n].name, PAIR_NAME);
		o->n++;
	}
}

static void take_admin_field(const struct field_view *f, struct pair_admin *a)
{
	if (f->type == FIELD_SERVICE)
		take_text(f, a->service, sizeof(a->service));
	else if (f->type == FIELD_SERVER)
		take_text(f, a->server, sizeof(a->server));
	else if (f->type == FIELD_WHY)
		take_text(f, a->admin.why, sizeof(a->admin.why));
	else if (f->type == FIELD_ASKED && f->size == 8)
		a->admin.asked_real_us = (int64_t)get64(f->data);
	if (f->type != FIELD_ADMIN || f->size != 32)
		return;
	a->admin.admin = get32(f->data);
	a->admin.weight = (int32_t)get32(f->data + 4);
	a->admin.drain_end = get32(f->data + 8);
	a->admin.keep_known = get32(f->data + 12) != 0;
	a->admin.since_real_us = (int64_t)get64(f->data + 16);
	a->admin.until_real_us = (int64_t)get64(f->data + 24);
}

static void take_pool_field(const struct field_view *f, struct pair_pool *p)
{
	if (f->type == FIELD_SERVICE)
		take_text(f, p->service, sizeof(p->service));
	else if (f->type == FIELD_SERVER)
		take_text(f, p->server, sizeof(p->server));
	else if (f->type == FIELD_WHY)
		take_text(f, p->pool.why, sizeof(p->pool.why));
	if (f->type != FIELD_POOL || f->size != 16)
		return;
	p->pool.is_removed = (get32(f->data) & POOL_REMOVED) != 0;
	p->pool.is_settled = (get32(f->data) & POOL_SETTLED) != 0;
	p->pool.weight = (int32_t)get32(f->data + 4);
	p->pool.since_real_us = (int64_t)get64(f->data + 8);
}

static void take_field(const struct field_view *f, struct pair_message *m)
{
	if (m->type == PAIR_STATE)
		take_state_field(f, &m->u.state);
	else if (m->type == PAIR_DIGEST)
		take_digest_field(f, &m->u.digest);
	else if (m->type == PAIR_OBJECTS)
		take_object_field(f, &m->u.objects);
	else if (m->type == PAIR_ADMIN)
		take_admin_field(f, &m->u.admin);
	else if (m->type == PAIR_POOL)
		take_pool_field(f, &m->u.pool);
}

enum pair_verdict pair_message_parse(const uint8_t *data, size_t size, struct pair_message *m)
{
	size_t at = PAIR_HEADER;

	memset(m, 0, sizeof(*m));
	if (size < PAIR_HEADER + PAIR_MAC || memcmp(data, magic, sizeof(magic)) != 0 || get16(data + 6) != size)
		return PAIR_NOT_OURS;
	if (data[4] != PAIR_VERSION)
		return PAIR_VERSION_UNKNOWN;
	m->type = data[5];
	m->session = get64(data + 8);
	m->number = get64(data + 16);
	m->challenge = get64(data + 24);
	m->echo = get64(data + 32);
	size -= PAIR_MAC;
	while (size - at >= 4) {
		const struct field_view f = {
			.type = get16(data + at), .data = data + at + 4, .size = get16(data + at + 2)};

		if (f.size > size - at - 4)
			return PAIR_NOT_OURS;
		take_field(&f, m);
		at += 4 + f.size;
	}
	return at == size ? PAIR_GOOD : PAIR_NOT_OURS;
}

enum pair_verdict pair_message_decode(
	const uint8_t *data, size_t size, const uint8_t *key, size_t key_size, struct pair_message *m)
{
	uint8_t mac[PAIR_MAC];

	if (size < PAIR_HEADER + PAIR_MAC || memcmp(data, magic, sizeof(magic)) != 0)
		return PAIR_NOT_OURS;
	sign(data, size - PAIR_MAC, key, key_size, mac);
	if (CRYPTO_memcmp(mac, data + size - PAIR_MAC, PAIR_MAC) != 0)
		return PAIR_FORGED;
	return pair_message_parse(data, size, m);
}
