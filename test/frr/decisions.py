"""decisions.py: what the modules of lib/frr decide, from data as `ip`, `bridge` and FRR print it."""
import json
import os
import tempfile
import time
import unittest
from typing import Any, Dict, Tuple

import kernel
import plan
from addresses import ipv6_of, mac_of, node_overlay, nodes_of, overlay_of_mac
from daemons import in_two_steps, waking_lines
from fabric_file import Fabric, Invalid, parse_fabric
from frr_conf import Phase, Running, announced, changes, compose, outer_prefixes, refreshes
from kernel import LAST_METRIC, Learned, Link, Neighbour, Route, Rule
from learned import GONE_SECONDS, Node, Sighting, learn, sightings_of
from passwords import take
from peers import Losses, Presence, bgp_routes, counts, given_up, is_settled, losses_of, missing, remote_of, senders_of, states_of
from say import printable
from tunnels_file import parse_told, phase_of
from vty import complaints_of
from written import read, read_json, write_atomically, write_json

ROOT: Dict[str, Any] = {
    'gateway': 'a',
    'as': 65010,
    'told': True,
    'localAs': 65010,
    'overlay': {
        'address': '198.19.3.4',
        'nodeNetwork': '198.18.0.0/16',
        'gatewayNetwork': '198.19.0.0/16',
        'ipv6Network': 'fd76:706e:6f76::/64',
        'vni': 4242,
        'port': 4790,
        'mtuBytes': 0,
        'ipv6': True,
    },
    'cluster': {
        'pods': ['10.234.0.0/16', 'fd00:234::/32', ''],
        'services': ['10.233.0.0/16', ''],
        'nodes': ['172.27.0.0/20', ''],
        'sources': ['10.234.7.0/32', ''],
    },
    'imports': [{'cidr': '10.0.0.0/16', 'maxLength': 18}, {'cidr': 'fd00:99::/32', 'maxLength': 33}, None],
    'exports': ['10.234.0.0/16', 'fd00:234::/32', ''],
    'tunnels': {
        'primary': {
            'interface': 'ipsec1',
            'inside': {'local': '169.254.100.2/30', 'remote': '169.254.100.1'},
            'networks': [''],
            'bgp': {
                'peer': '10.2.255.30',
                'passwordFile': '/passwords/primary/password',
                'source': 'key password of the Secret x',
                'bfd': True,
            },
        },
        'static': {'interface': 'ipsec2', 'networks': ['10.1.0.0/16', 'fd00:1::/48', '']},
        'policy': {'interface': '', 'networks': ['10.2.0.0/16', '']},
        '': None,
    },
}


def fabric(**more: Any) -> Fabric:
    return parse_fabric(json.dumps({**ROOT, **more}).encode())


OUTSIDE = plan.Outside('eth0', '10.244.1.10', 1450, {4: '10.244.1.1', 6: ''})


class Addresses(unittest.TestCase):
    def test_an_overlay_address_has_the_last_two_bytes_of_the_node(self) -> None:
        self.assertEqual(node_overlay('172.27.3.254', '198.18.0.0/16'), '198.18.3.254')

    def test_a_mac_carries_the_address_and_whether_there_is_bfd(self) -> None:
        self.assertEqual(mac_of('198.18.3.254'), '02:64:c6:12:03:fe')
        self.assertEqual(overlay_of_mac('02:64:C6:12:03:FE'), ('198.18.3.254', True))
        self.assertEqual(overlay_of_mac(mac_of('198.18.3.254', bfd=False)), ('198.18.3.254', False))

    def test_other_macs_carry_none(self) -> None:
        for mac in ('02:66:c6:12:03:fe', '00:00:00:00:00:00', '02:64:c6:12:03', 'x', ''):
            self.assertIsNone(overlay_of_mac(mac), mac)

    def test_the_address_of_ipv6_says_which_end_it_is(self) -> None:
        self.assertEqual(ipv6_of('198.18.3.254', 'fd76:706e:6f76::/64', False), 'fd76:706e:6f76::3fe')
        self.assertEqual(ipv6_of('198.19.3.4', 'fd76:706e:6f76::/64', True), 'fd76:706e:6f76::1:304')

    def test_an_overlay_address_belongs_to_nodes_of_the_networks_alone(self) -> None:
        self.assertEqual(nodes_of('198.18.15.255', ['172.27.0.0/20', 'fd00::/64']), ['172.27.15.255'])
        self.assertEqual(nodes_of('198.18.16.0', ['172.27.0.0/20']), [])
        self.assertEqual(nodes_of('198.18.49.2', ['172.27.48.0/20', '10.9.49.0/24']), ['172.27.49.2', '10.9.49.2'])


class Kernel(unittest.TestCase):
    LINK = Link('ovl0', '02:64:c6:13:03:04', 4242, 4790, '10.244.1.10', True, 1400)

    def shown(self, **data: Any) -> Any:
        info = {'id': 4242, 'local': '10.244.1.10', 'port': 4790, 'learning': True, 'udp_csum': False, **data}
        return {
            'ifname': 'ovl0',
            'flags': ['BROADCAST', 'UP'],
            'mtu': 1400,
            'address': '02:64:c6:13:03:04',
            'linkinfo': {'info_kind': 'vxlan', 'info_data': info},
        }

    def test_a_link_that_is_right_stays(self) -> None:
        self.assertEqual(kernel.link_changes(self.LINK, [self.shown()]), [])

    def test_what_can_be_set_does_not_cost_the_link(self) -> None:
        there = {**self.shown(), 'mtu': 1450, 'address': '02:65:c6:13:03:04', 'flags': []}
        self.assertEqual(
            kernel.link_changes(self.LINK, [there]),
            ['link set dev ovl0 address 02:64:c6:13:03:04', 'link set dev ovl0 mtu 1400', 'link set dev ovl0 up'],
        )

    def test_a_link_of_another_kind_is_made_anew(self) -> None:
        for data in ({'id': 1}, {'port': 1}, {'local': '10.0.0.1'}, {'learning': False}, {'udp_csum': True}):
            lines = kernel.link_changes(self.LINK, [self.shown(**data)])
            self.assertEqual(lines[0], 'link delete dev ovl0', data)
            self.assertRegex(lines[1], r'^link add ovl0 .* type vxlan id 4242 dstport 4790 noudpcsum .* local 10\.244\.1\.10 learning$')

    def test_only_differences_of_routes_are_made(self) -> None:
        end = Route('0.0.0.0/0', kind='unreachable', metric=LAST_METRIC)
        there = kernel.parse_routes(
            [
                {'type': '7', 'dst': 'default', 'protocol': '86', 'metric': 4294967295, 'flags': []},
                {'dst': '10.1.0.0/16', 'dev': 'ipsec2', 'protocol': '86', 'scope': '253', 'flags': []},
                {'dst': '10.9.0.0/16', 'dev': 'ipsec2', 'protocol': '86', 'scope': '253', 'flags': []},
                {'dst': '10.0.5.0/24', 'gateway': '169.254.100.1', 'dev': 'ipsec1', 'protocol': '186', 'metric': 20, 'flags': []},
            ]
        )
        wanted = [Route('10.1.0.0/16', 'ipsec2'), Route('10.2.0.0/16', 'eth0', '10.244.1.1'), end]
        self.assertEqual(
            kernel.route_changes(wanted, there, '200'),
            [
                'route delete 10.9.0.0/16 dev ipsec2 table 200 proto 86',
                'route replace 10.2.0.0/16 via 10.244.1.1 dev eth0 table 200 proto 86',
            ],
        )

    def test_routes_of_ipv6_are_read_as_they_are_made(self) -> None:
        answer = [
            {'type': '7', 'dst': 'default', 'dev': 'lo', 'protocol': '86', 'metric': 4294967295, 'flags': [], 'pref': 'medium'},
            {'dst': 'fd00:1::/48', 'dev': 'ipsec2', 'protocol': '86', 'metric': 1024, 'flags': [], 'pref': 'medium'},
            {'dst': 'fd00::7', 'dev': 'ovl0', 'protocol': '86', 'metric': 1024, 'flags': [], 'pref': 'medium'},
        ]
        end = Route('::/0', kind='unreachable', metric=LAST_METRIC)
        wanted = [end, Route('fd00:1::/48', 'ipsec2', metric=1024), Route('fd00::7/128', 'ovl0', metric=1024)]
        self.assertEqual(kernel.parse_routes(answer, 6), wanted)

    def test_next_hops_are_routes_each(self) -> None:
        hops = [{'gateway': '198.19.3.4', 'dev': 'ovl0', 'flags': ['onlink']}, {'gateway': '198.19.3.5', 'dev': 'ovl0', 'flags': []}]
        found = kernel.parse_routes([{'dst': '10.0.0.0/24', 'protocol': '186', 'metric': 20, 'nexthops': hops}], protocol='')
        self.assertEqual([(route.gateway, route.onlink) for route in found], [('198.19.3.4', True), ('198.19.3.5', False)])

    def test_missing_rules_come_before_others_go(self) -> None:
        there = kernel.parse_rules(
            [
                {'priority': 0, 'src': 'all', 'table': '255'},
                {'priority': 100, 'src': 'all', 'iif': 'ipsec1', 'iif_detached': None, 'table': '100', 'protocol': '86'},
                {'priority': 120, 'src': '169.254.100.2', 'dst': '169.254.100.1', 'table': '254', 'protocol': '86'},
                {'priority': 130, 'src': '10.2.0.0', 'srclen': 16, 'table': '100', 'protocol': '86'},
            ]
        )
        wanted = [Rule(100, '100', interface='ipsec1'), Rule(110, '200', interface='ovl0'), Rule(130, '100', '10.2.0.0/16')]
        self.assertEqual(
            kernel.rule_changes(wanted, there),
            [
                'rule add from all iif ovl0 lookup 200 priority 110 protocol 86',
                'rule delete from 169.254.100.2/32 to 169.254.100.1/32 lookup main priority 120 protocol 86',
            ],
        )

    def test_neighbours_that_are_not_permanent_are_the_kernels_own(self) -> None:
        there = kernel.parse_neighbours(
            [
                {'dst': '198.18.0.11', 'lladdr': '02:64:C6:12:00:0B', 'state': ['PERMANENT']},
                {'dst': '198.18.0.12', 'lladdr': '02:64:c6:12:00:0c', 'state': ['PERMANENT']},
                {'dst': '198.18.0.13', 'state': ['FAILED']},
                {'dst': 'ff02::2', 'lladdr': '33:33:00:00:00:02', 'state': ['NOARP']},
            ]
        )
        wanted = [Neighbour('198.18.0.11', '02:64:c6:12:00:0b'), Neighbour('198.18.0.13', '02:64:c6:12:00:0d')]
        self.assertEqual(
            kernel.neighbour_changes('ovl0', wanted, there),
            [
                'neighbour delete 198.18.0.12 dev ovl0',
                'neighbour replace 198.18.0.13 lladdr 02:64:c6:12:00:0d dev ovl0 nud permanent',
            ],
        )

    def test_entries_of_a_link_that_does_not_learn(self) -> None:
        there = kernel.parse_fdb(
            [
                {'mac': '02:64:c6:13:03:04', 'dst': '10.244.1.10', 'flags': ['self'], 'state': 'permanent'},
                {'mac': '33:33:00:00:00:01', 'flags': ['self'], 'state': 'permanent'},
            ]
        )
        wanted = [Learned('02:64:c6:13:03:04', '10.244.1.11', True)]
        self.assertEqual(
            kernel.fdb_changes('ovl0', wanted, there),
            [
                'fdb delete 02:64:c6:13:03:04 dst 10.244.1.10 dev ovl0',
                'fdb append 02:64:c6:13:03:04 dst 10.244.1.11 dev ovl0 permanent',
            ],
        )

    def test_addresses_that_the_kernel_gives_are_left(self) -> None:
        there = [
            {
                'ifname': 'ovl0',
                'addr_info': [
                    {'family': 'inet', 'local': '198.19.3.5', 'prefixlen': 32, 'scope': 'global'},
                    {'family': 'inet6', 'local': 'fe80::1', 'prefixlen': 64, 'scope': 'link'},
                ],
            }
        ]
        self.assertEqual(
            kernel.address_changes('ovl0', ['198.19.3.4/32', 'fd76::1/128'], there),
            [
                'address delete 198.19.3.5/32 dev ovl0',
                'address replace 198.19.3.4/32 dev ovl0',
                'address replace fd76::1/128 dev ovl0 nodad',
            ],
        )

    def test_of_a_batch_it_is_said_which_line_failed_and_why(self) -> None:
        complaints = 'Cannot find device "nope"\nCommand failed -:1\nRTNETLINK answers: File exists\nCommand failed -:3\n'
        self.assertEqual(
            kernel.batch_problems(['route add 10.0.0.0/8 dev nope', 'x', 'route add 10.1.0.0/16 dev ovl0'], complaints),
            [
                'cannot route add 10.0.0.0/8 dev nope: Cannot find device "nope"',
                'cannot route add 10.1.0.0/16 dev ovl0: RTNETLINK answers: File exists',
            ],
        )


class Learning(unittest.TestCase):
    def learn(self, *sightings: Sighting, known: Any = None, now: float = 5000.0) -> Any:
        return learn(known or {}, sightings, fabric(), now)

    def test_frames_tell_of_nodes(self) -> None:
        answer = [
            {'mac': '02:64:C6:12:00:0B', 'dst': '172.27.0.11', 'used': 0, 'updated': 4, 'flags': ['self'], 'state': ''},
            {'mac': '02:65:c6:12:00:0c', 'dst': '10.234.7.0', 'used': 0, 'updated': 4, 'flags': ['self'], 'state': ''},
            {'mac': '02:64:c6:12:00:0d', 'dst': '172.27.0.13', 'flags': ['self'], 'state': 'permanent'},
            {'mac': '33:33:00:00:00:01', 'flags': ['self'], 'state': 'permanent'},
        ]
        found = self.learn(*sightings_of(answer))
        self.assertEqual(
            found.nodes,
            {
                '198.18.0.11': Node('02:64:c6:12:00:0b', True, 5000.0),
                '198.18.0.12': Node('02:65:c6:12:00:0c', False, 5000.0),
            },
        )
        self.assertEqual((found.strangers, found.stale), ({}, []))

    def test_strangers_are_refused_and_forgotten(self) -> None:
        strangers = [
            Sighting('02:66:c6:12:00:0b', '172.27.0.11', 1),  # another kind of MAC
            Sighting('02:64:c6:12:10:01', '172.27.0.11', 1),  # of no node
            Sighting('02:64:c6:13:03:05', '172.27.0.11', 1),  # of a gateway
            Sighting('02:64:c6:12:00:0b', '10.234.1.9', 1),  # a pod with the MAC of a node
            Sighting('02:64:c6:12:00:0b', '203.0.113.1', 1),
        ]
        found = self.learn(*strangers)
        self.assertEqual(found.nodes, {})
        self.assertEqual(found.stale, strangers)
        self.assertEqual(len(found.strangers), 5)
        self.assertIn('belongs to no address of cluster.nodeCidrs', found.strangers['02:64:c6:12:10:01 from 172.27.0.11'])
        self.assertIn('cluster.nodeSources', found.strangers['02:64:c6:12:00:0b from 10.234.1.9'])

    def test_a_node_stays_known_for_an_hour(self) -> None:
        known = {'198.18.0.11': Node('02:64:c6:12:00:0b', True, 0.0)}
        self.assertEqual(self.learn(known=known, now=GONE_SECONDS - 1).nodes, known)
        self.assertEqual(self.learn(known=known, now=GONE_SECONDS).nodes, {})

    def test_the_newest_of_two_macs_counts(self) -> None:
        with_bfd, without = Sighting('02:64:c6:12:00:0b', '172.27.0.11', 40), Sighting('02:65:c6:12:00:0b', '172.27.0.11', 2)
        for pair in ((with_bfd, without), (without, with_bfd)):
            found = self.learn(*pair)
            self.assertEqual(found.nodes['198.18.0.11'], Node('02:65:c6:12:00:0b', False, 5000.0))
            self.assertEqual(found.stale, [with_bfd])

    def test_of_two_macs_of_one_age_that_is_newer_which_was_not_known(self) -> None:
        both = Sighting('02:64:c6:12:00:0b', '172.27.0.11', 0), Sighting('02:65:c6:12:00:0b', '172.27.0.11', 0)
        for index, known in ((0, both[1]), (1, both[0])):
            was = {'198.18.0.11': Node(known.mac, True, 4999.0)}
            self.assertEqual(self.learn(*both, known=was).nodes['198.18.0.11'].mac, both[index].mac)

    def test_a_thousand_nodes_take_no_second(self) -> None:
        sightings = [Sighting(f'02:64:c6:12:{number >> 8:02x}:{number & 255:02x}', '172.27.0.1', 1) for number in range(256, 1256)]
        started = time.process_time()
        found = self.learn(*sightings)
        lines = changes(fabric(), Running(), Running(nodes={name: node.bfd for name, node in found.nodes.items()}))
        kernel.neighbour_changes('ovl0', plan.neighbours(fabric(), found.nodes), [])
        self.assertLess(time.process_time() - started, 1.0)
        self.assertEqual(sum(' peer-group NODES' in line for line in lines), 1000)
        self.assertEqual(self.learn(*sightings, known=found.nodes).nodes, found.nodes)


class Plan(unittest.TestCase):
    def test_the_link_leaves_room_for_its_headers(self) -> None:
        self.assertEqual(plan.link_of(fabric(), OUTSIDE), Link('ovl0', '02:64:c6:13:03:04', 4242, 4790, '10.244.1.10', True, 1400))
        self.assertEqual(plan.link_of(fabric(overlay={**ROOT['overlay'], 'mtuBytes': 1300}), OUTSIDE).mtu, 1300)

    def test_addresses_are_of_hosts(self) -> None:
        self.assertEqual(plan.addresses_of(fabric()), ['198.19.3.4/32', 'fd76:706e:6f76::1:304/128'])

    def test_static_networks_have_routes_while_their_tunnel_is_up(self) -> None:
        end = Route('0.0.0.0/0', kind='unreachable', metric=LAST_METRIC)
        up = plan.table_routes(fabric(), '200', 4, {'static', 'policy'}, OUTSIDE)
        self.assertEqual(up, [Route('10.1.0.0/16', 'ipsec2'), Route('10.2.0.0/16', 'eth0', '10.244.1.1'), end])
        self.assertEqual(plan.table_routes(fabric(), '200', 4, set(), OUTSIDE), [end])
        self.assertEqual(plan.table_routes(fabric(), '100', 4, {'static'}, OUTSIDE), [end])

    def test_rules_lead_each_kind_of_packet_to_its_table(self) -> None:
        self.assertEqual(
            [rule.words() for rule in plan.rules(fabric(), 4, OUTSIDE)],
            [
                'from all iif ipsec1 lookup 100 priority 100',
                'from all iif ipsec2 lookup 100 priority 100',
                'from 10.2.0.0/16 iif eth0 lookup 100 priority 105',
                'from all iif ovl0 lookup 200 priority 110',
                'from 169.254.100.2/32 to 169.254.100.1/32 lookup main priority 120',
                'from 169.254.100.2/32 to 10.2.255.30/32 lookup main priority 120',
                'from 169.254.100.2/32 lookup 200 priority 121',
                'from 198.19.3.4/32 to 198.18.0.0/16 lookup main priority 130',
                'from 198.19.3.4/32 to 198.19.0.0/16 lookup main priority 130',
                'from 198.19.3.4/32 lookup 100 priority 131',
            ],
        )
        self.assertEqual([rule.priority for rule in plan.rules(fabric(), 6, OUTSIDE)], [100, 100, 110, 130, 131])

    def test_without_ipv6_there_is_nothing_of_it(self) -> None:
        only4 = fabric(overlay={**ROOT['overlay'], 'ipv6': False})
        self.assertEqual(plan.rules(only4, 6, OUTSIDE), [])
        self.assertEqual(plan.main_routes(only4, 6) + plan.table_routes(only4, '200', 6, {'static'}, OUTSIDE), [])
        self.assertEqual(plan.addresses_of(only4), ['198.19.3.4/32'])
        self.assertEqual(len(plan.neighbours(only4, {'198.18.0.11': Node('02:64:c6:12:00:0b', True, 0)})), 1)

    def test_routes_of_bgp_in_the_main_table_are_a_fault(self) -> None:
        self.assertEqual(plan.strays([]), [])
        strays = plan.strays([Route('10.234.0.0/16'), Route('10.234.0.0/16'), Route('10.0.0.0/8')])
        self.assertEqual(strays, ['the main table has routes of BGP (10.0.0.0/8, 10.234.0.0/16); report this as a fault'])


class Settling(unittest.TestCase):
    def test_exports_wait_for_all_nodes_and_not_for_ever(self) -> None:
        nodes, one = ['198.18.0.11', '198.18.0.12'], frozenset(['198.18.0.11'])
        self.assertTrue(is_settled(nodes[:1], one, 1, 0))
        self.assertFalse(is_settled(nodes, one, 9, 0))
        self.assertTrue(is_settled(nodes, one, 10, 0))
        self.assertTrue(is_settled(nodes, frozenset(nodes), 1, 0))

    def test_and_for_as_many_as_another_gateway_leads_to(self) -> None:
        nodes = ['198.18.0.11']
        self.assertTrue(is_settled(nodes, frozenset(nodes), 1, 1))
        self.assertFalse(is_settled(nodes, frozenset(nodes), 119, 2))
        self.assertTrue(is_settled(nodes, frozenset(nodes), 120, 2))
        self.assertFalse(is_settled(nodes, frozenset(nodes), 119, None))


class Presences(unittest.TestCase):
    NODES = ['198.18.0.11', '198.18.0.12']
    BOTH = dict.fromkeys(NODES, 'Established')
    ONE = {'198.18.0.11': 'Established', '198.18.0.12': 'Connect'}

    def seen(self, *sights: Tuple[float, Dict[str, str]]) -> Presence:
        presence = Presence()
        for now, states in sights:
            presence.see(self.NODES, states, now)
        return presence

    def test_who_was_there_is_away_for_two_minutes(self) -> None:
        self.assertEqual(self.seen((0, self.ONE)).away(), [])
        self.assertEqual(self.seen((0, self.BOTH), (1, self.ONE)).away(), ['198.18.0.12'])
        self.assertEqual(self.seen((0, self.BOTH), (119, self.ONE)).away(), ['198.18.0.12'])
        self.assertEqual(self.seen((0, self.BOTH), (120, self.ONE)).away(), [])
        self.assertEqual(self.seen((0, self.BOTH), (1, self.ONE), (2, self.BOTH)).away(), [])
        presence = self.seen((0, self.BOTH))
        presence.see(['198.18.0.11'], self.ONE, 1)
        self.assertEqual(presence.away(), [])

    def test_who_is_there_is_told_a_moment_after_something_was_said(self) -> None:
        presence = self.seen((0, self.BOTH), (10, self.BOTH))
        self.assertEqual(presence.untold(10, 3, 12.9), self.NODES)
        self.assertEqual(presence.untold(10, 3, 13), [])

    def test_who_was_away_meanwhile_is_told_a_moment_after_its_return(self) -> None:
        away = self.seen((0, self.BOTH), (10, self.ONE))
        self.assertEqual(away.untold(10, 3, 20), ['198.18.0.12'])
        back = self.seen((0, self.BOTH), (10, self.ONE), (30, self.BOTH))
        self.assertEqual(back.untold(10, 3, 32.9), ['198.18.0.12'])
        self.assertEqual(back.untold(10, 3, 33), [])

    def test_who_went_away_afterwards_has_been_told(self) -> None:
        presence = self.seen((0, self.BOTH), (13, self.BOTH), (14, self.ONE))
        self.assertEqual(presence.untold(10, 3, 15), [])


class Conf(unittest.TestCase):
    def test_what_is_only_known_at_run_time_stands_after_what_the_chart_printed(self) -> None:
        running = Running(
            nodes={'198.18.0.11': True, '198.18.0.12': False},
            own_node='198.18.0.11',
            networks=frozenset(['10.1.0.0/16', 'fd00:234::/32']),
            passwords={'10.2.255.30': 'secret'},
        )
        self.assertEqual(
            compose('hostname a\n', fabric(), running).split('\n'),
            [
                'hostname a',
                'ip prefix-list OUTER seq 1 deny 0.0.0.0/0',
                'ipv6 prefix-list OUTER seq 1 deny ::/0',
                'route-map FROM-NODES permit 30',
                ' match ip address prefix-list SERVICE-NETWORKS',
                ' match peer 198.18.0.11',
                ' set local-preference 200',
                ' set table 100',
                'exit',
                'route-map FROM-NODES permit 31',
                ' match ipv6 address prefix-list SERVICE-NETWORKS',
                ' match peer 198.18.0.11',
                ' set local-preference 200',
                ' set table 100',
                'exit',
                'router bgp 65010',
                ' neighbor 198.18.0.11 peer-group NODES',
                ' neighbor 198.18.0.12 peer-group NODES-WITHOUT-BFD',
                ' neighbor 10.2.255.30 password secret',
                ' address-family ipv4 unicast',
                '  network 10.1.0.0/16 route-map OWN',
                ' exit-address-family',
                ' address-family ipv6 unicast',
                '  network fd00:234::/32 route-map OWN',
                ' exit-address-family',
                'exit',
                '',
            ],
        )

    def test_only_differences_are_told(self) -> None:
        before = Running(nodes={'198.18.0.11': True, '198.18.0.12': True}, networks=frozenset(['10.1.0.0/16']))
        after = Running(nodes={'198.18.0.11': False, '198.18.0.13': True}, networks=frozenset(['10.2.0.0/16']))
        self.assertEqual(
            changes(fabric(), before, after),
            [
                'router bgp 65010',
                ' no neighbor 198.18.0.11',
                ' no neighbor 198.18.0.12',
                ' neighbor 198.18.0.11 peer-group NODES-WITHOUT-BFD',
                ' neighbor 198.18.0.13 peer-group NODES',
                ' address-family ipv4 unicast',
                '  no network 10.1.0.0/16 route-map OWN',
                '  network 10.2.0.0/16 route-map OWN',
                ' exit-address-family',
                'exit',
            ],
        )
        self.assertEqual(changes(fabric(), after, after), [])

    def test_leave_is_taken_in_order_and_taken_back(self) -> None:
        serving, shutting, withdrawn, drained = (Running(phase=phase) for phase in Phase)
        self.assertEqual(changes(fabric(), serving, shutting), ['router bgp 65010', ' bgp graceful-shutdown', 'exit'])
        deny = ['route-map TO-NODES deny 1', 'exit', 'route-map TO-REMOTE deny 1', 'exit']
        self.assertEqual(changes(fabric(), shutting, withdrawn), deny)
        self.assertEqual(refreshes(shutting, withdrawn), [f'clear bgp {family} unicast * soft out' for family in ('ipv4', 'ipv6')])
        self.assertEqual(changes(fabric(), withdrawn, drained) + refreshes(withdrawn, drained), [])
        back = ['no route-map TO-NODES deny 1', 'no route-map TO-REMOTE deny 1', 'router bgp 65010', ' no bgp graceful-shutdown', 'exit']
        self.assertEqual(changes(fabric(), drained, serving), back)

    def test_a_session_whose_password_is_missing_stays_closed(self) -> None:
        closed = Running(closed=frozenset(['10.2.255.30']))
        self.assertIn(' neighbor 10.2.255.30 shutdown', compose('', fabric(), closed).split('\n'))
        opened = Running(passwords={'10.2.255.30': 'secret'})
        self.assertEqual(
            changes(fabric(), closed, opened)[1:3], [' neighbor 10.2.255.30 password secret', ' no neighbor 10.2.255.30 shutdown']
        )

    def test_prefixes_that_hold_an_outer_address_are_those_that_could_be_taken(self) -> None:
        imports = fabric().imports
        self.assertEqual(outer_prefixes(['203.0.113.9', '2001:db8::1'], imports), frozenset())
        self.assertEqual(outer_prefixes(['10.0.200.9'], imports), {'10.0.0.0/16', '10.0.128.0/17', '10.0.192.0/18'})
        self.assertEqual(outer_prefixes(['fd00:99::1'], imports), {'fd00:99::/32', 'fd00:99::/33'})

    def test_the_list_of_outer_prefixes_is_never_empty(self) -> None:
        before, after = Running(outer=frozenset(['10.0.0.0/16'])), Running()
        self.assertEqual(changes(fabric(), before, after), ['no ip prefix-list OUTER permit 10.0.0.0/16'])
        self.assertEqual(refreshes(before, after), [f'clear bgp {family} unicast * soft in' for family in ('ipv4', 'ipv6')])
        self.assertIn('ip prefix-list OUTER seq 1 deny 0.0.0.0/0', compose('', fabric(), after))

    def test_remote_ends_are_told_of_a_family_while_it_has_nodes(self) -> None:
        self.assertEqual(announced(fabric(), [], []), frozenset())
        self.assertEqual(announced(fabric(), [], [4]), {'10.234.0.0/16'})
        self.assertEqual(announced(fabric(), ['static'], [6]), {'10.1.0.0/16', 'fd00:1::/48', 'fd00:234::/32'})


class Steps(unittest.TestCase):
    def test_bfd_of_neighbours_comes_when_they_are_there(self) -> None:
        first = ['bfd', ' profile x', ' exit', 'exit', 'router bgp 1', ' neighbor N peer-group', ' neighbor N timers 3 9', 'exit', '']
        later = ['router bgp 1', ' neighbor N bfd', ' neighbor 10.0.0.1 bfd profile x']
        self.assertEqual(in_two_steps([*first[:6], *later[1:], *first[6:]]), (first, later))
        self.assertEqual(in_two_steps(first), (first, []))

    def test_a_neighbour_is_shut_until_it_is_known_whole(self) -> None:
        lines = ['router bgp 1', ' neighbor N peer-group', ' neighbor 10.0.0.1 remote-as 2', ' neighbor 10.0.0.1 bfd', '!']
        lines += [' neighbor fd00::1 remote-as 2', ' neighbor fd00::1 shutdown', 'exit']
        first, later = in_two_steps(lines)
        self.assertEqual(first[2:5], [' neighbor 10.0.0.1 remote-as 2', ' neighbor 10.0.0.1 shutdown', '!'])
        self.assertEqual(first[5:], [' neighbor fd00::1 remote-as 2', ' neighbor fd00::1 shutdown', 'exit'])
        self.assertEqual(later, ['router bgp 1', ' neighbor 10.0.0.1 bfd', 'router bgp 1', ' no neighbor 10.0.0.1 shutdown'])

    def test_a_neighbour_without_the_session_that_it_should_have_is_told_its_source_again(self) -> None:
        values = {'updateSource': '198.18.0.11', 'peerBfdInfo': {'status': 'Unknown'}}
        lines = [' no neighbor 10.0.0.1 update-source', ' neighbor 10.0.0.1 update-source 198.18.0.11']
        self.assertEqual(waking_lines('10.0.0.1', {'10.0.0.1': values}), lines)
        self.assertEqual(waking_lines('10.0.0.1', {'10.0.0.1': {'updateSource': '198.18.0.11'}}), [])
        self.assertEqual(waking_lines('10.0.0.1', {'bgpNoSuchNeighbor': True}), [])


class Loss(unittest.TestCase):
    UP = dict.fromkeys('abc', 'Established')

    def lost(self, *looks: Tuple[float, Dict[str, int]]) -> Dict[str, float]:
        losses = Losses()
        for now, counts in looks:
            losses.see(counts, now)
        return losses.at

    def test_a_session_that_is_back_before_the_next_look_was_lost(self) -> None:
        self.assertEqual(self.lost((0.0, {'a': 1, 'b': 0}), (1.0, {'a': 2, 'b': 0})), {'a': 1.0})

    def test_what_was_lost_before_is_not_lost_with_the_others(self) -> None:
        self.assertEqual(self.lost((0.0, {'a': 1}), (1.0, {'a': 2}), (5.9, {'a': 2})), {'a': 1.0})
        self.assertEqual(self.lost((0.0, {'a': 1}), (1.0, {'a': 2}), (6.0, {'a': 2})), {})

    def test_daemons_that_start_again_have_lost_nothing(self) -> None:
        self.assertEqual(self.lost((0.0, {'a': 3}), (1.0, {'a': 0}), (2.0, {'a': 0, 'b': 1})), {})

    def test_all_nodes_but_its_own_have_given_it_up(self) -> None:
        self.assertEqual(given_up('abc', 'c', {'a', 'b'}, self.UP), ['a', 'b'])
        self.assertEqual(given_up('abc', '', {'a', 'b'}, self.UP), [])
        self.assertEqual(given_up('abc', '', {'a', 'b'}, {**self.UP, 'c': 'Connect'}), ['a', 'b'])
        self.assertEqual(given_up('abc', 'c', {'c'}, {'c': 'Established'}), [])
        self.assertEqual(given_up('', '', {'a'}, {}), [])

    def test_how_often_bgpd_has_lost_a_session(self) -> None:
        peers = {'a': {'connectionsDropped': 3}, 'b': {}}
        self.assertEqual(losses_of({'ipv4Unicast': {'peers': peers}, 'ipv6Unicast': {'peers': peers}}), {'a': 3, 'b': 0})
        self.assertEqual(losses_of(None), {})


class Peers(unittest.TestCase):
    SESSION = fabric().tunnels['primary'].session

    def test_sessions_of_the_summary(self) -> None:
        summary = {
            'ipv4Unicast': {
                'peers': {'198.18.0.11': {'state': 'Established', 'pfxRcd': 2}, '10.2.255.30': {'state': 'Idle'}},
            },
            'ipv6Unicast': {'peers': {'198.18.0.11': {'state': 'Established', 'pfxRcd': 0}}},
        }
        states = states_of(summary)
        self.assertEqual(states, {'198.18.0.11': 'Established', '10.2.255.30': 'Idle'})
        nodes = {'198.18.0.11': True, '198.18.0.12': False}
        self.assertEqual(counts(nodes, states, Presence()), {'known': 2, 'established': 1, 'away': 0, 'withoutBfd': 1})
        presence = Presence()
        presence.see(nodes, dict.fromkeys(nodes, 'Established'), 0)
        presence.see(nodes, states, 1)
        self.assertEqual(counts(nodes, states, presence)['away'], 1)
        self.assertEqual(senders_of(summary), {'198.18.0.11'})
        silent = {'ipv4Unicast': {'peers': {'198.18.0.11': {'state': 'Established', 'pfxRcd': 0}}}}
        self.assertEqual([senders_of(each) for each in (silent, {}, [])], [frozenset()] * 3)
        self.assertEqual(missing(nodes, states), ['198.18.0.12'])

    def test_the_session_with_a_remote_end(self) -> None:
        assert self.SESSION is not None
        values = {
            'bgpState': 'Established',
            'bgpTimerUpMsec': 49000,
            'addressFamilyInfo': {'ipv4Unicast': {'acceptedPrefixCounter': 12, 'prefixAllowedMax': 1000}},
            'peerBfdInfo': {'type': 'multi hop', 'status': 'Up'},
        }
        remote = remote_of(self.SESSION, {'10.2.255.30': values})
        self.assertEqual(remote._asdict(), {'state': 'Established', 'prefixes': 12, 'limit': 1000, 'since': 49, 'bfd': 'up'})
        down = remote_of(self.SESSION, {'10.2.255.30': {**values, 'bgpState': 'Idle', 'peerBfdInfo': {'status': 'Down'}}})
        self.assertEqual((down.prefixes, down.since, down.bfd), (0, 0, 'down'))
        self.assertEqual(remote_of(self.SESSION._replace(bfd=False), {'10.2.255.30': values}).bfd, 'none')
        self.assertEqual(remote_of(self.SESSION, {'bgpNoSuchNeighbor': True}).state, 'Unknown')

    def test_routes_of_bgp_are_counted_and_no_others(self) -> None:
        routes = [{'fib': 5, 'rib': 5, 'type': 'kernel'}, {'fib': 3, 'rib': 4, 'type': 'ibgp'}, {'fib': 1, 'rib': 1, 'type': 'ebgp'}]
        self.assertEqual(bgp_routes({'routes': routes}), 4)
        self.assertEqual(bgp_routes({}), 0)


class Told(unittest.TestCase):
    def test_tunnels_are_up_whose_children_are_all_installed(self) -> None:
        told = parse_told(
            {
                'tunnels': {
                    'a': {'installed': True, 'children': {'x': True}, 'remote': '203.0.113.9'},
                    'b': {'installed': False, 'remote': ''},
                    'c': {'installed': 'yes', 'remote': '%any'},
                },
                'draining': True,
                'nodes': 7,
            }
        )
        self.assertEqual(told, (frozenset(['a']), frozenset(['203.0.113.9']), True, 7))

    def test_of_the_nodes_of_others_only_a_number_counts(self) -> None:
        for nodes in (None, True, '7', 1.5, []):
            told = parse_told({'tunnels': {}, 'nodes': nodes})
            self.assertEqual(told and told.nodes, None, nodes)

    def test_what_is_no_such_file_says_nothing(self) -> None:
        for root in (None, [], {}, {'tunnels': None}, {'tunnels': {'a': None}}):
            self.assertIsNone(parse_told(root), root)

    def test_phases_follow_each_other(self) -> None:
        phases = [phase_of(since, Presence(), 100.0) for since in (None, 100.0, 97.1, 97.0, 94.1, 94.0)]
        self.assertEqual(phases, [Phase.SERVING, Phase.SHUTTING, Phase.SHUTTING, Phase.WITHDRAWN, Phase.WITHDRAWN, Phase.DRAINED])

    def test_a_leave_waits_for_nodes_that_have_not_heard_of_it(self) -> None:
        presence = Presence()
        presence.see(['198.18.0.11'], {'198.18.0.11': 'Established'}, 93.0)
        presence.see(['198.18.0.11'], {}, 94.0)
        self.assertEqual(phase_of(94.0, presence, 100.0), Phase.WITHDRAWN)
        presence.see(['198.18.0.11'], {'198.18.0.11': 'Established'}, 101.0)
        self.assertEqual([phase_of(94.0, presence, now) for now in (103.9, 104.0)], [Phase.WITHDRAWN, Phase.DRAINED])


class Passwords(unittest.TestCase):
    FILE = '/passwords/primary/password'

    def test_a_password_is_taken_without_a_line_break_at_its_end(self) -> None:
        for content in (b'abc!', b'abc!\n', b'abc!\r\n'):
            self.assertEqual(take(fabric(), {self.FILE: content}, {}), ({'10.2.255.30': 'abc!'}, [], []))

    def test_what_is_wrong_is_said_and_never_with_the_password(self) -> None:
        where = 'tunnels.primary.bgp.password: key password of the Secret x '
        for content, problem in (
            (None, 'is missing; make it'),
            (b'\n', 'is empty; put the password there'),
            (b'two words', 'has other characters than visible ones of ASCII; choose another password at both ends'),
            (b'two\nlines\n', 'has other characters than visible ones of ASCII; choose another password at both ends'),
            ('ü'.encode(), 'has other characters than visible ones of ASCII; choose another password at both ends'),
            (b'x' * 81, 'is longer than 80 characters; choose a shorter one at both ends'),
        ):
            self.assertEqual(take(fabric(), {self.FILE: content}, {}), ({}, ['10.2.255.30'], [where + problem]))

    def test_a_password_that_was_there_goes_on_to_hold(self) -> None:
        taken = take(fabric(), {self.FILE: None}, {'10.2.255.30': 'abc'})
        self.assertEqual((taken.by_peer, taken.missing, len(taken.problems)), ({'10.2.255.30': 'abc'}, [], 1))


class FabricFile(unittest.TestCase):
    def test_lists_and_maps_lose_their_empty_end(self) -> None:
        found = fabric()
        self.assertEqual(list(found.tunnels), ['primary', 'static', 'policy'])
        self.assertEqual(found.cluster.sources, ['10.234.7.0/32'])
        self.assertEqual([taken.longest for taken in found.imports], [18, 33])
        self.assertEqual((found.tunnels['primary'].local, found.tunnels['static'].local), ('169.254.100.2', ''))

    def test_a_session_may_have_no_password(self) -> None:
        tunnel = {'interface': 'ipsec1', 'networks': [''], 'bgp': {'peer': '169.254.0.1', 'bfd': False}}
        session = fabric(tunnels={'x': tunnel, '': None}).tunnels['x'].session
        self.assertEqual(session, ('169.254.0.1', '', '', False))

    def test_what_is_wrong_is_said_with_its_path(self) -> None:
        for more, sentence in (
            ({'as': True}, 'fabric.json: as is missing or of another type; install the chart anew'),
            ({'exports': ['10.0.0.1/8', '']}, 'fabric.json: exports has what is no network, got "10.0.0.1/8"; install the chart anew'),
            ({'cluster': {}}, 'fabric.json: cluster.pods is missing or of another type; install the chart anew'),
            ({'tunnels': {'x': {}}}, 'fabric.json: tunnels.x.interface is missing or of another type; install the chart anew'),
        ):
            with self.assertRaises(Invalid) as raised:
                fabric(**more)
            self.assertEqual(str(raised.exception), sentence)
        with self.assertRaises(Invalid):
            parse_fabric(b'{')


class Files(unittest.TestCase):
    def test_nobody_sees_half_of_a_file(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, 'frr.conf')
            write_atomically(file, b'one', 0o640)
            write_atomically(file, b'two', 0o640)
            self.assertEqual((read(file), os.listdir(folder), os.stat(file).st_mode & 0o777), (b'two', ['frr.conf'], 0o640))
            write_json(file, {'a': 1})
            self.assertEqual(read_json(file), {'a': 1})
            write_atomically(file, b'{"a"')
            self.assertIsNone(read_json(file))
            self.assertIsNone(read_json(file + 'x'))


class Sentences(unittest.TestCase):
    def test_no_password_is_said(self) -> None:
        said = complaints_of(1, 'line 7: % Unknown command[28]:  neighbor 10.0.0.1 password s3cret word\n')
        self.assertEqual(said, ['line 7: % Unknown command[28]:  neighbor 10.0.0.1 password (password)'])
        self.assertNotIn('s3cret', printable('no neighbor 10.0.0.1 password s3cret'))

    def test_a_file_that_vtysh_does_not_need_is_no_complaint(self) -> None:
        output = "% Can't open configuration file /var/run/frr/vtysh.conf due to 'No such file or directory'.\n"
        self.assertEqual(complaints_of(0, output), [])
        self.assertEqual(len(complaints_of(11, output)), 1)

    def test_a_complaint_of_several_daemons_is_one(self) -> None:
        self.assertEqual(complaints_of(2, 'line 3: % Unknown command\n' * 4), ['line 3: % Unknown command'])


if __name__ == '__main__':
    unittest.main()
