# programs and unit tests of pair/
noinst_LIBRARIES += pair/libpair.a
pair_libpair_a_SOURCES = pair/pair_message.c pair/pair_message.h pair/pair_session.c pair/pair_session.h \
	pair/pair_cover.c pair/pair_cover.h pair/pair_conf.c pair/pair_conf.h pair/pair_receiver.c pair/pair_receiver.h \
	pair/pair_list.c pair/pair_list.h
pair_libpair_a_CFLAGS = $(AM_CFLAGS) $(OPENSSL_CFLAGS)

pkglibexec_PROGRAMS += pair/poise-pair
pair_poise_pair_SOURCES = pair/pair_process.c pair/pair_process.h pair/pair_talk.c pair/pair_look.c pair/pair_hear.c
pair_poise_pair_LDADD = pair/libpair.a $(ROLE_LIBS) $(OPENSSL_LIBS)

check_PROGRAMS += tests/unit/check_pair tests/unit/check_pair_list tests/fuzz/seeds_pair_message
PAIR_CHECK_CFLAGS = $(AM_CFLAGS) -I$(top_srcdir)/pair $(OPENSSL_CFLAGS) $(CHECK_CFLAGS)
tests_unit_check_pair_SOURCES = tests/unit/check_pair.c
tests_unit_check_pair_CFLAGS = $(PAIR_CHECK_CFLAGS)
tests_unit_check_pair_LDADD = pair/libpair.a lib/libpoise.a $(OPENSSL_LIBS) $(CHECK_LIBS)
tests_unit_check_pair_list_SOURCES = tests/unit/check_pair_list.c
tests_unit_check_pair_list_CFLAGS = $(PAIR_CHECK_CFLAGS)
tests_unit_check_pair_list_LDADD = pair/libpair.a lib/libpoise.a $(OPENSSL_LIBS) $(CHECK_LIBS)
tests_fuzz_seeds_pair_message_SOURCES = tests/fuzz/run_seeds.c tests/fuzz/fuzz_pair_message.c
tests_fuzz_seeds_pair_message_CFLAGS = $(PAIR_CHECK_CFLAGS)
tests_fuzz_seeds_pair_message_LDADD = pair/libpair.a lib/libpoise.a $(OPENSSL_LIBS)
if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz_pair_message
tests_fuzz_fuzz_pair_message_SOURCES = tests/fuzz/fuzz_pair_message.c pair/pair_message.c lib/sync_receipt.c
tests_fuzz_fuzz_pair_message_CFLAGS = $(PAIR_CHECK_CFLAGS) -fsanitize=fuzzer,address,undefined
tests_fuzz_fuzz_pair_message_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer,address,undefined
tests_fuzz_fuzz_pair_message_LDADD = lib/libpoise.a $(OPENSSL_LIBS)
endif
