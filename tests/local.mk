# SPDX-License-Identifier: GPL-2.0-or-later
# The tests' own tools; the unit tests and fuzz targets are declared by the folders that they test.
EXTRA_DIST += tests/run tests/demo tests/common.sh tests/packages tests/layering tests/sizes tests/corpus .ci/run \
	tests/lab tests/bench
EXTRA_DIST += tests/fuzz/seeds
