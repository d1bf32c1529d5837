# programs and unit tests of healthcheck/
