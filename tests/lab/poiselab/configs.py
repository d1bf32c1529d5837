# SPDX-License-Identifier: GPL-2.0-or-later
"""Configurations in keepalived's language for the site, so that poised and keepalived can be given the same text."""

from .site import BACK4, GATEWAY, VIP


def instance(name, interface, vrid, address, *, priority, initial="BACKUP", advert=1, device=None, more=""):
    """A VRRP instance that holds one address."""
    return """vrrp_instance %s {
	state %s
	interface %s
	virtual_router_id %d
	priority %d
	advert_int %s
	%s
	virtual_ipaddress {
		%s%s
	}
}
""" % (name, initial, interface, vrid, priority, advert, more.replace("\n", "\n\t"), address,
       " dev " + device if device else "")


def pair(priority, *, advert=1, more=""):
    """Front and back address of a router in a sync group, moving together."""
    group = "vrrp_sync_group site {\n\tgroup {\n\t\tfront\n\t\tback\n\t}\n}\n"
    return (group + instance("front", "front", 51, VIP + "/24", priority=priority, advert=advert, more=more) +
            instance("back", "back", 52, GATEWAY + "/24", priority=priority, advert=advert, more=more))


TCP_CHECK = """TCP_CHECK {
			connect_timeout 1
			retry 0
		}"""

HTTP_CHECK = """HTTP_GET {
			url {
				path /health
				status_code 200
			}
			connect_timeout 1
			retry 0
			delay_before_retry 1
		}"""


def service(servers, *, address=VIP, port=80, scheduler="rr", kind="NAT", check=HTTP_CHECK, delay=1, more=""):
    """A virtual service with its real servers (addresses)."""
    body = "".join("""	real_server %s %d {
		weight 1
		%s
	}
""" % (server, port, check) for server in servers)
    return """virtual_server %s %d {
	delay_loop %s
	lb_algo %s
	lb_kind %s
	protocol TCP
	%s
%s}
""" % (address, port, delay, scheduler, kind, more.replace("\n", "\n\t"), body)


# A role without work is not started: this gives work to those that an instance alone does not need.
EVERY_ROLE = ("global_defs {\n\tsnmp_trap_to 127.0.0.1 {\n\t\tcommunity nobody\n\t}\n}\n"
              "vrrp_script idle {\n\tscript /bin/true\n\tinterval 60\n}\n" +
              service(["127.0.0.1"], address="127.0.0.9", check=TCP_CHECK, delay=60))


def nat_site(priority, *, servers=3, advert=1, globals_="", more="", **service_options):
    """A NAT router of the site: addresses in a sync group and a web service."""
    return ("global_defs {\n\trouter_id node%d\n\t%s\n}\n" % (priority, globals_.replace("\n", "\n\t")) +
            pair(priority, advert=advert, more=more) +
            service(["%s%d" % (BACK4, i + 11) for i in range(servers)], **service_options))
