/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel settings (lvs_sysctl): set when the configuration asks, put back when it no longer does or the daemon stops.
 * The value that was found goes into the ledger before anything is written. Runs in the ipvs process, which may write
 * them with CAP_NET_ADMIN alone. What is not asked for is only looked at. */
#include "ipvs_contradict.h"
#include "ipvs_process.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int open_setting(uint32_t number, int flags)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/sys/net/%s", sysctls_known[number].path);
	return open(path, flags | O_CLOEXEC);
}

/* Returns 0 or -errno; -ENOENT when the kernel does not have it (yet). */
static int read_setting(uint32_t number, int64_t *value)
{
	int fd = open_setting(number, O_RDONLY);
	char text[64];
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n < 0)
		return -EIO;
	text[n] = '\0';
	return sysctls_parse((int)number, text, value) ? 0 : -EPROTO;
}

static int write_setting(uint32_t number, int64_t value)
{
	int fd = open_setting(number, O_WRONLY), rc = 0;
	char text[SYSCTLS_TEXT];

	if (fd < 0)
		return -errno;
	sysctls_format((int)number, value, text);
	if (write(fd, text, strlen(text)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

void ipvs_sysctl_load(struct ipvs *v)
{
	for (uint32_t i = 0; i < SYSCTLS; i++)
		v->settings[i].is_ours = ipvs_owned_find_setting(&v->ledger, i, &v->settings[i].before);
}

/* The value found is remembered first: after a crash it still comes back. */
static void set(struct ipvs *v, uint32_t number, int64_t value, int64_t found)
{
	struct ipvs_setting *setting = &v->settings[number];
	char old[SYSCTLS_TEXT], new[SYSCTLS_TEXT];
	bool again = setting->is_ours;
	int rc;

	if (!setting->is_ours) {
		setting->is_ours = v->ledger_stale = true;
		setting->before = found;
		ipvs_reconcile_store_ledger(v);
	}
	rc = write_setting(number, value);
	sysctls_format((int)number, found, old);
	sysctls_format((int)number, value, new);
	if (rc == 0)
		log_info("ipvs: kernel setting %s: %s -> %s%s", sysctls_known[number].name, old, new,
			again ? " (it was changed meanwhile)" : "");
	else if (setting->error != -rc)
		log_error("ipvs: kernel setting %s cannot be set to %s: %s", sysctls_known[number].name, new,
			strerror(-rc));
	setting->error = -rc;
}

static void put_back(struct ipvs *v, uint32_t number)
{
	struct ipvs_setting *setting = &v->settings[number];
	char text[SYSCTLS_TEXT];
	int rc = write_setting(number, setting->before);

	if (rc == 0)
		log_info("ipvs: kernel setting %s: back to %s", sysctls_known[number].name,
			sysctls_format((int)number, setting->before, text));
	else if (rc != -ENOENT)
		log_warning(
			"ipvs: kernel setting %s cannot be put back: %s", sysctls_known[number].name, strerror(-rc));
	setting->is_ours = false;
	setting->error = 0;
	v->ledger_stale = true;
}

/* Contradictions are told when they arise. */
static void warn(struct ipvs *v, uint32_t number, const char *text)
{
	struct ipvs_setting *setting = &v->settings[number];

	if (text[0] && strcmp(text, setting->warned) != 0)
		log_warning("ipvs: kernel setting %s: %s", sysctls_known[number].name, text);
	snprintf(setting->warned, sizeof(setting->warned), "%s", text);
}

static void report(struct ipvs *v, uint32_t number, const int64_t *want, bool known, int64_t value)
{
	const struct ipvs_setting *setting = &v->settings[number];
	struct status_sysctl s = {.is_known = known,
		.is_wanted = want != NULL,
		.is_ours = setting->is_ours,
		.value = value,
		.wanted = want ? *want : 0,
		.before = setting->before};

	if (setting->error)
		snprintf(s.why, sizeof(s.why), "cannot be set: %s", strerror(setting->error));
	else if (want && !known)
		snprintf(s.why, sizeof(s.why), "the kernel does not have it%s",
			v->usable ? "" : " as long as IPVS is not there");
	else
		snprintf(s.why, sizeof(s.why), "%s", setting->warned);
	role_store_quiet(v->p, IPVS_TABLE_SYSCTL, number, &s, sizeof(s));
}

/* While a drain needs it, it is on, whatever else is wanted. */
static bool is_wanted(const struct ipvs *v, uint32_t number, int64_t *value)
{
	if (!v->settings[number].for_drain)
		return ipvs_setting_wanted(v->now->conf, number, value);
	*value = 1;
	return true;
}

static void step(struct ipvs *v, uint32_t number)
{
	char text[WHY_SIZE] = "";
	int64_t value = 0, want;
	bool wanted = is_wanted(v, number, &want), known = read_setting(number, &value) == 0;

	if (known && wanted && value != want) {
		set(v, number, want, value);
		known = read_setting(number, &value) == 0;
	} else if (known && !wanted && v->settings[number].is_ours) {
		put_back(v, number);
		known = read_setting(number, &value) == 0;
	}
	if (known)
		ipvs_contradict(v->now->conf, number, value, text);
	warn(v, number, text);
	report(v, number, wanted ? &want : NULL, known, value);
}

void ipvs_sysctl_for_drain(struct ipvs *v, uint32_t number, bool on)
{
	if (v->settings[number].for_drain == on)
		return;
	v->settings[number].for_drain = on;
	step(v, number);
}

/* The status of the synchronisation says whether the kernel took what it needs. */
static void tell_sync(struct ipvs *v)
{
	int64_t value;

	v->resync.status.settings_error = 0;
	for (uint32_t i = 0; i < SYSCTLS && v->now->conf->global->connection_sync == CONF_SYNC_FULL; i++)
		if (v->settings[i].error && ipvs_setting_of_sync(i, &value))
			v->resync.status.settings_error = (uint32_t)v->settings[i].error;
}

void ipvs_sysctl_step(struct ipvs *v)
{
	if (!v->now || (v->now->conf->n_services == 0 && v->now->conf->n_sysctls == 0 && v->ledger.n == 0 &&
			       !v->now->conf->global->sync_interface))
		return;
	for (uint32_t i = 0; i < SYSCTLS; i++)
		step(v, i);
	tell_sync(v);
}

void ipvs_sysctl_stop(struct ipvs *v)
{
	for (uint32_t i = 0; i < SYSCTLS; i++)
		if (v->settings[i].is_ours)
			put_back(v, i);
}

size_t ipvs_sysctl_release(const struct ipvs_owned *owned)
{
	size_t n = 0;
	int64_t before;

	for (uint32_t i = 0; i < SYSCTLS; i++)
		n += ipvs_owned_find_setting(owned, i, &before) && write_setting(i, before) == 0;
	return n;
}
