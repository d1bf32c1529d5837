# programs and unit tests of vrrp/
# The pure part: decisions and codecs, also linked by the unit tests, the model, the replay and the fuzz target.
noinst_LIBRARIES += vrrp/libvrrpcore.a
vrrp_libvrrpcore_a_SOURCES = vrrp/vrrp_fsm.c vrrp/vrrp_fsm.h vrrp/vrrp_why.c vrrp/vrrp_group.c vrrp/vrrp_group.h \
	vrrp/vrrp_priority.c vrrp/vrrp_priority.h vrrp/vrrp_announce.c vrrp/vrrp_announce.h \
	vrrp/vrrp_packet.c vrrp/vrrp_packet.h vrrp/vrrp_encode.c vrrp/vrrp_drop.c vrrp/vrrp_checksum.h \
	vrrp/vrrp_auth.c vrrp/vrrp_auth.h vrrp/vrrp_digest.c vrrp/vrrp_digest.h
