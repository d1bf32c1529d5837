/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a configuration file, in both dialects: read, report, and what loads must print as a configuration that
 * loads, too. Includes are refused, so that nothing outside the input is read. */
#include "conf_print.h"
#include "conf_read.h"
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_again(struct conf_result *first, const struct conf_read_options *options)
{
	struct conf_result second;
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		abort();
	conf_print(first->builder, out);
	fclose(out);
	conf_read_text(&second, "keepalived.conf", text, length, options);
	if (conf_diag_errors(second.diag)) {
		fwrite(text, 1, length, stderr);
		conf_diag_print(second.diag, &second.sources, false, stderr);
		abort();
	}
	conf_result_free(&second);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *null;
	struct conf_read_options options = {.config_id = "node", .no_files = true};
	struct conf_result result;

	if (!null)
		null = fopen("/dev/null", "w");
	if (!null)
		abort();
	for (int dialect = 0; dialect < 2; dialect++) {
		options.dialect = dialect;
		conf_read_text(&result, "fuzz.conf", (const char *)data, size, &options);
		conf_diag_print(result.diag, &result.sources, false, null);
		if (dialect == CONF_DIALECT_KEEPALIVED && conf_diag_errors(result.diag) == 0)
			read_again(&result, &options);
		conf_result_free(&result);
	}
	return 0;
}
