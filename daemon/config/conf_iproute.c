/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers of routing by their names. Runs in the config role, which may read the system's files with names; a load that
 * reads no files knows the usual names alone. */
#include "conf_iproute.h"
#include <ctype.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX 1000 /* lines that are looked at */

struct name {
	const char *name;
	uint32_t number;
};

static const struct name tables[] = {
	{"main", RT_TABLE_MAIN}, {"local", RT_TABLE_LOCAL}, {"default", RT_TABLE_DEFAULT}, {NULL, 0}};
static const struct name protocols[] = {{"redirect", RTPROT_REDIRECT}, {"kernel", RTPROT_KERNEL}, {"boot", RTPROT_BOOT},
	{"static", RTPROT_STATIC}, {"ra", RTPROT_RA}, {"dhcp", RTPROT_DHCP}, {"keepalived", 18},
	{"zebra", RTPROT_ZEBRA}, {"bird", RTPROT_BIRD}, {"babel", 42}, {"bgp", 186}, {"isis", 187}, {"ospf", 188},
	{"rip", 189}, {"eigrp", 192}, {NULL, 0}};
static const struct name none[] = {{NULL, 0}};

static const struct {
	const struct name *usual;
	const char *file;
} kinds[] = {
	[CONF_IPROUTE_TABLE] = {tables, "/etc/iproute2/rt_tables"},
	[CONF_IPROUTE_PROTOCOL] = {protocols, "/etc/iproute2/rt_protos"},
	[CONF_IPROUTE_REALM] = {none, "/etc/iproute2/rt_realms"},
	[CONF_IPROUTE_DSFIELD] = {none, "/etc/iproute2/rt_dsfield"},
};

bool conf_iproute_plain(const char *word, uint32_t high, uint32_t *out)
{
	unsigned long value;
	char *end;

	if (!isdigit((unsigned char)word[0]))
		return false;
	errno = 0;
	value = strtoul(word, &end, strncasecmp(word, "0x", 2) == 0 ? 16 : 10);
	if (errno || *end || value > high)
		return false;
	*out = (uint32_t)value;
	return true;
}

static bool find_in_file(const char *path, const char *word, uint32_t *out)
{
	FILE *file = fopen(path, "re");
	char line[256], number[32], name[128];
	bool found = false;

	for (int i = 0; file && !found && i < FILE_MAX && fgets(line, sizeof(line), file); i++)
		found = sscanf(line, " %31s %127s", number, name) == 2 && number[0] != '#' && strcmp(name, word) == 0 &&
			conf_iproute_plain(number, UINT32_MAX, out);
	if (file)
		fclose(file);
	return found;
}

bool conf_iproute_number(struct conf_load *load, enum conf_iproute what, const char *word, uint32_t high, uint32_t *out)
{
	if (conf_iproute_plain(word, high, out))
		return true;
	for (const struct name *n = kinds[what].usual; n->name; n++) {
		if (strcmp(n->name, word) == 0) {
			*out = n->number;
			return true;
		}
	}
	return !load->no_files && isalpha((unsigned char)word[0]) && find_in_file(kinds[what].file, word, out) &&
	       *out <= high;
}
