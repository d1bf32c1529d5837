# SPDX-License-Identifier: GPL-2.0-or-later
"""The weights of one service as the kernel has them, asked for by one system call: a program that lists the table
would cost more than what is measured."""

import ctypes
import socket
import struct
import sys

from poiselab import net

IP_VS_SO_GET_DESTS = 1024 + 64 + 64 + 4
ROOM = 16


class GetDests(ctypes.Structure):
    """struct ip_vs_get_dests of the kernel, with room for entries of struct ip_vs_dest_entry (96 bytes each)."""

    _fields_ = [("protocol", ctypes.c_uint16), ("addr", ctypes.c_uint32), ("port", ctypes.c_uint16),
                ("fwmark", ctypes.c_uint32), ("num_dests", ctypes.c_uint32), ("entries", ctypes.c_uint64 * (12 * ROOM))]


def kernel_weights(router, address, port, servers):
    """Of the `servers` servers of the TCP service, in the kernel's order; [] while it has not so many."""
    ask = GetDests(protocol=socket.IPPROTO_TCP, addr=int.from_bytes(socket.inet_aton(address), sys.byteorder),
                   port=socket.htons(port), num_dests=servers)
    length = ctypes.c_uint32(GetDests.entries.offset + 96 * servers)
    with net.inside(router.namespace.name), socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        if ctypes.CDLL(None, use_errno=True).getsockopt(raw.fileno(), socket.IPPROTO_IP, IP_VS_SO_GET_DESTS,
                                                        ctypes.byref(ask), ctypes.byref(length)) < 0:
            return []
    data = bytes(ask.entries)
    return [struct.unpack_from("i", data, 96 * i + 12)[0] for i in range(ask.num_dests)]
