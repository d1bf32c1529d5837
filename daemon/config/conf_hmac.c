/* SPDX-License-Identifier: GPL-2.0-or-later */
/* auth_hmac of a vrrp_instance: keys, and how the signed trailer of advertisements is demanded. Runs in the config
 * role, which reads the files that hold keys. A block without a usable key for signing is an error, never an instance
 * that goes on unsigned. */
#include "conf_hmac.h"
#include "conf_diag.h"
#include "conf_load.h"
#include "conf_print.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_MIN 32
#define KEY_MAX ((size_t)64)
#define KEY_FILE_MAX 139 /* "hex:", twice 64 digits and some blanks */
#define KEYS_MAX 32
#define WINDOW_MIN 5
#define WINDOW_MAX 300

static struct conf_instance *current(struct conf_load *load)
{
	return conf_current(load, CONF_TABLE_INSTANCE);
}

static struct conf_hmac_key *key_at(struct conf_load *load, conf_index_t index)
{
	return conf_builder_at(load->builder, CONF_TABLE_HMAC_KEY, index);
}

/* ---- keys ---- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Digits of either case with blanks anywhere; an odd last digit is a byte of its own, as in keepalived. Returns the
 * number of bytes, more than KEY_MAX for too many, or -1. */
static int decode_hex(const char *text, uint8_t bytes[KEY_MAX])
{
	size_t digits = 0;

	for (; *text; text++) {
		int digit = hex_digit(*text);

		if (*text == ' ' || *text == '\t')
			continue;
		if (digit < 0)
			return -1;
		if (digits / 2 >= KEY_MAX)
			return (int)KEY_MAX + 1;
		bytes[digits / 2] = (uint8_t)(digits % 2 ? bytes[digits / 2] << 4 | digit : digit);
		digits++;
	}
	return (int)((digits + 1) / 2);
}

/* hex:DIGITS, else the text itself. Says what is wrong with it. */
static bool decode_key(
	struct conf_load *load, const struct conf_node *node, const char *text, struct conf_hmac_key *key)
{
	uint8_t bytes[KEY_MAX];
	int length = (int)strlen(text);

	if (strncasecmp(text, "hex:", 4) == 0)
		length = decode_hex(text + 4, bytes);
	else if ((size_t)length <= KEY_MAX)
		memcpy(bytes, text, (size_t)length);
	if (length < 0)
		conf_error(load, node, 2, "key %u: behind hex: only hexadecimal digits may stand", key->id);
	else if (length < KEY_MIN || (size_t)length > KEY_MAX)
		conf_error(load, node, 2, "key %u has %s bytes; it needs %d to %zu", key->id,
			length < KEY_MIN ? "too few" : "too many", KEY_MIN, KEY_MAX);
	if (length < KEY_MIN || (size_t)length > KEY_MAX)
		return false;
	memcpy(key->bytes, bytes, (size_t)length);
	key->length = (uint8_t)length;
	explicit_bzero(bytes, sizeof(bytes));
	return true;
}

/* Up to the first zero byte or line end. Returns 0 or -errno; *is_open: others than its owner may look into it. */
static int read_key_file(const char *path, char text[KEY_FILE_MAX + 1], bool *is_open)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), error = 0;
	struct stat st;
	ssize_t n = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		error = -errno;
	else if (!S_ISREG(st.st_mode))
		error = -EINVAL;
	else if ((n = read(fd, text, KEY_FILE_MAX)) < 0)
		error = -errno;
	close(fd);
	if (error)
		return error;
	text[n] = 0;
	*is_open = (st.st_mode & 077) != 0;
	for (n = (ssize_t)strlen(text); n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'); n--)
		text[n - 1] = 0;
	return 0;
}

static bool take_key_file(
	struct conf_load *load, const struct conf_node *node, const char *path, struct conf_hmac_key *key)
{
	char text[KEY_FILE_MAX + 1];
	bool is_open = false, is_ok;
	int error;

	if (load->no_files) {
		/* Nothing is going to be signed with it: the file is only looked at. */
		key->length = KEY_MIN;
		return true;
	}
	error = read_key_file(path, text, &is_open);
	if (error) {
		conf_error(load, node, 2, "the file of key %u cannot be read: %s", key->id,
			error == -EINVAL ? "it is no regular file" : strerror(-error));
		return false;
	}
	if (is_open)
		conf_warn(load, node, 2,
			"the file of key %u can be read or written by others" CONF_MEANING
			"it is used all the same (chmod 600 it)",
			key->id);
	is_ok = decode_key(load, node, text, key);
	explicit_bzero(text, sizeof(text));
	return is_ok;
}

static bool is_known(struct conf_load *load, const struct conf_range *keys, uint8_t id)
{
	for (uint32_t i = keys->first; i < keys->first + keys->count; i++)
		if (key_at(load, i)->id == id)
			return true;
	return false;
}

static void apply_key(struct conf_load *load, const struct conf_node *node)
{
	struct conf_range *keys = &current(load)->hmac_keys;
	const char *value = conf_word(node, 2);
	struct conf_hmac_key key = {0};
	int64_t id = 0;

	conf_diag_hide(load->diag, conf_node_place(node));
	if (conf_parse_number(conf_word(node, 1), 1, 255, &id) != CONF_VALUE_OK || !*value) {
		conf_error(load, node, 1,
			"write key ID VALUE: a number from 1 to 255, then hex:DIGITS, file:PATH or the key");
		return;
	}
	conf_extra_words(load, node, 3);
	key.id = (uint8_t)id;
	if (keys->count == 0)
		keys->first = conf_builder_count(load->builder, CONF_TABLE_HMAC_KEY);
	if (is_known(load, keys, key.id)) {
		conf_error(load, node, 1, "key %u is given twice", key.id);
		return;
	}
	if (keys->count == KEYS_MAX) {
		conf_error(load, node, 1, "an instance has at most %d keys", KEYS_MAX);
		return;
	}
	if (!(strncasecmp(value, "file:", 5) == 0 ? take_key_file(load, node, value + 5, &key)
						  : decode_key(load, node, value, &key)))
		return;
	*key_at(load, conf_builder_add(load->builder, CONF_TABLE_HMAC_KEY)) = key;
	current(load)->hmac_keys.count++;
	explicit_bzero(&key, sizeof(key));
}

/* ---- the rest of the block ---- */

static void apply_active_key(struct conf_load *load, const struct conf_node *node)
{
	int64_t id = 0;

	if (conf_parse_number(conf_word(node, 1), 1, 255, &id) != CONF_VALUE_OK)
		conf_error(load, node, 1, "active_key needs the number of a key, from 1 to 255");
	current(load)->hmac_active = (uint8_t)id;
	conf_extra_words(load, node, 2);
}

static const char *const modes[] = {"enforce", "permissive", "receive-only", NULL};
static const char *const replays[] = {"time", "monotonic", NULL};

/* A word that is misspelt here would change what is let in: an error, no default is taken. */
static uint8_t read_choice(struct conf_load *load, const struct conf_node *node, const char *const *choices)
{
	int choice = conf_parse_choice(conf_word(node, 1), choices);

	conf_extra_words(load, node, 2);
	if (choice >= 0)
		return (uint8_t)choice;
	conf_error(load, node, 1, "%s must be one of %s, %s%s%s, not \"%s\"", conf_word(node, 0), choices[0],
		choices[1], choices[2] ? ", " : "", choices[2] ? choices[2] : "", conf_word(node, 1));
	return 0;
}

static void apply_anti_replay(struct conf_load *load, const struct conf_node *node)
{
	current(load)->hmac_replay = read_choice(load, node, replays);
}

static void apply_mode(struct conf_load *load, const struct conf_node *node)
{
	current(load)->hmac_mode = read_choice(load, node, modes);
}

static void apply_window(struct conf_load *load, const struct conf_node *node)
{
	int64_t window = 0;

	if (conf_parse_number(conf_word(node, 1), 1, WINDOW_MAX, &window) != CONF_VALUE_OK)
		conf_error(load, node, 1, "time_window must be a number of seconds from 1 to %d, not \"%s\"",
			WINDOW_MAX, conf_word(node, 1));
	current(load)->hmac_window_s = (uint32_t)window;
	conf_extra_words(load, node, 2);
}

/* Three missed advertisements, but not so short that ordinary clocks differ by more. */
static uint32_t usual_window(const struct conf_instance *i)
{
	int64_t window = 3 * (i->advert_us / CONF_S);

	return (uint32_t)(window < WINDOW_MIN ? WINDOW_MIN : window > WINDOW_MAX ? WINDOW_MAX : window);
}

static bool begin_hmac(struct conf_load *load, const struct conf_node *node)
{
	const struct conf_instance *i = current(load);

	if (i->hmac_keys.count || i->hmac_active)
		conf_error(load, node, 0, "auth_hmac is given twice");
	return !i->hmac_keys.count && !i->hmac_active;
}

static void drop_authentication(struct conf_load *load, struct conf_instance *i, const struct conf_node *node)
{
	if (i->secret != CONF_NONE || i->auth != CONF_AUTH_NONE)
		conf_warn(load, node, 0,
			"auth_hmac takes the place of the authentication block" CONF_MEANING "that one is ignored");
	if (i->secret != CONF_NONE) {
		struct conf_secret *secret = conf_builder_at(load->builder, CONF_TABLE_SECRET, i->secret);

		explicit_bzero(secret, sizeof(*secret));
	}
	i->secret = CONF_NONE;
}

void conf_hmac_finish(struct conf_load *load, conf_index_t index)
{
	struct conf_instance *i = conf_builder_at(load->builder, CONF_TABLE_INSTANCE, index);
	const struct conf_node *node = conf_statement(load, CONF_TABLE_INSTANCE, index, "auth_hmac");

	if (!conf_given(load, &conf_instance_block, index, "auth_hmac"))
		return;
	drop_authentication(load, i, node);
	i->auth = CONF_AUTH_HMAC;
	if (i->hmac_window_s == 0)
		i->hmac_window_s = usual_window(i);
	if (i->strict && i->hmac_mode != CONF_HMAC_ENFORCE) {
		conf_warn(load, node, 0,
			"strict mode demands signed advertisements" CONF_MEANING "mode enforce is taken");
		i->hmac_mode = CONF_HMAC_ENFORCE;
	}
	if (i->hmac_active == 0)
		conf_error(load, node, 0, "auth_hmac needs active_key ID: the key that advertisements are signed with");
	else if (!is_known(load, &i->hmac_keys, i->hmac_active))
		conf_error(load, node, 0,
			"active_key %u names no usable key: nothing could be signed, so the file is refused",
			i->hmac_active);
}

static void print_hmac(struct conf_printer *p, uint32_t record)
{
	const struct conf_instance *i = conf_print_record(p, CONF_TABLE_INSTANCE, record);
	char text[2 * KEY_MAX + 1];

	if (i->auth != CONF_AUTH_HMAC)
		return;
	conf_print_open(p, "auth_hmac");
	for (uint32_t k = i->hmac_keys.first; k < i->hmac_keys.first + i->hmac_keys.count; k++) {
		const struct conf_hmac_key *key = conf_print_record(p, CONF_TABLE_HMAC_KEY, k);

		for (size_t b = 0; b < key->length; b++)
			snprintf(text + 2 * b, 3, "%02x", key->bytes[b]);
		conf_print_line(p, "key %u hex:%s", key->id, text);
	}
	conf_print_line(p, "active_key %u", i->hmac_active);
	if (i->hmac_replay != CONF_HMAC_TIME)
		conf_print_line(p, "anti_replay %s", replays[i->hmac_replay]);
	if (i->hmac_window_s != usual_window(i))
		conf_print_line(p, "time_window %u", i->hmac_window_s);
	if (i->hmac_mode != CONF_HMAC_ENFORCE)
		conf_print_line(p, "mode %s", modes[i->hmac_mode]);
	conf_print_close(p);
}

/* clang-format off */
static const struct conf_directive hmac_directives[] = {
	CALL("key", apply_key, NULL, LIVE, "ID VALUE, repeatable: a key of 32 to 64 bytes as hex:DIGITS, file:PATH (which holds one of the two other forms) or the text itself; a key that is not active still verifies"),
	CALL("active_key", apply_active_key, NULL, LIVE, "the key that signs; required"),
	CALL("anti_replay", apply_anti_replay, NULL, LIVE, "time (the default): an advertisement signed too long ago is dropped, too; monotonic: no clock is looked at, only the order"),
	CALL("time_window", apply_window, NULL, LIVE, "seconds from 1 to 300 by which the clocks of the nodes may differ; default three intervals, at least 5 seconds"),
	CALL("mode", apply_mode, NULL, LIVE, "what is not signed is dropped (enforce, the default) or taken (permissive); receive-only does not sign, either. To introduce it without a gap: receive-only on all nodes, then permissive, then enforce"),
	END_OF_TABLE,
};
/* clang-format on */

const struct conf_block conf_hmac_block = {
	.name = "auth_hmac",
	.table = -1,
	.directives = {hmac_directives},
	.begin = begin_hmac,
	.print = print_hmac,
};
