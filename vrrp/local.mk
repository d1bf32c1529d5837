# programs and unit tests of vrrp/
