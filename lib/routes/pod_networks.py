"""pod_networks.py: which pod addresses are on this node, as its own kernel tells.

The input is what `ip -j -d address` and `ip -j route show` print, of both families; other routes than those of pods do not matter.
"""
import ipaddress
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Sequence, Set

from addresses import Network

# Devices behind which other nodes are.
TUNNELS = {'vxlan', 'geneve', 'ipip', 'sit', 'ip6tnl', 'gre', 'gretap', 'ip6gre', 'ip6gretap', 'wireguard', 'xfrm'}
CALICO_TUNNELS = ('tunl0', 'vxlan.calico', 'vxlan-v6.calico', 'wireguard.cali', 'wg-v6.cali')
CALICO_PROTOCOLS = ('80', 'bird', '12')  # 12 is bird


class Device(NamedTuple):
    kind: str
    addresses: Set[str]


class Found(NamedTuple):
    """A route of the node to addresses of its own."""

    network: Network
    device: str
    kind: str  # of the device; of a route without one, that of the route
    protocol: str
    own: bool  # the network holds an address of the device

    def is_single(self) -> bool:
        return self.network.prefixlen == self.network.max_prefixlen


def devices_of(answer: Iterable[Any]) -> Dict[str, Device]:
    return {
        str(each['ifname']): Device(
            str(each.get('linkinfo', {}).get('info_kind', '')),
            {str(info['local']) for info in each.get('addr_info', []) if 'local' in info},
        )
        for each in answer
        if 'ifname' in each
    }


def local_routes(answer: Iterable[Any], devices: Dict[str, Device]) -> List[Found]:
    """The routes of the main table that do not lead to another node."""
    found = []
    for each in answer:
        if str(each.get('table', 'main')) not in ('main', '254') or each.get('dst', 'default') == 'default':
            continue
        network = ipaddress.ip_network(str(each['dst']), strict=False)
        kind, protocol = str(each.get('type', 'unicast')), str(each.get('protocol', ''))
        if kind in ('blackhole', 'unreachable', '6', '7'):
            found.append(Found(network, '', 'none', protocol, False))
            continue
        name = str(each.get('dev', ''))
        device = devices.get(name)
        if device is None or kind not in ('unicast', '1') or 'via' in each or 'nexthops' in each:
            continue
        if device.kind in TUNNELS or each.get('gateway', '') not in ('', *device.addresses):
            continue
        own = any(ipaddress.ip_address(address) in network for address in device.addresses)
        found.append(Found(network, name, device.kind, protocol, own))
    return found


def is_of_bridge(route: Found) -> bool:
    return route.kind == 'bridge' and not route.is_single()


def is_of_veth(route: Found) -> bool:
    return route.kind == 'veth' and route.is_single()


def is_of_calico(route: Found) -> bool:
    """A block of addresses, which ends here for all that no pod has; or a pod, which may have an address of another block."""
    if route.kind == 'none':
        return route.protocol in CALICO_PROTOCOLS
    return route.device.startswith('cali') and route.is_single()


def is_of_cilium(route: Found) -> bool:
    """With its tunnels the networks of other nodes lead to cilium_host too, but they do not hold its address."""
    return (route.device == 'cilium_host' and route.own) or (route.device.startswith('lxc') and route.is_single())


CNIS: Dict[str, Callable[[Found], bool]] = {
    'bridge': is_of_bridge,
    'veth': is_of_veth,
    'calico': is_of_calico,
    'cilium': is_of_cilium,
}


def calico_tunnel_addresses(devices: Dict[str, Device]) -> List[Network]:
    """A node's own address in its tunnel is one of the pod networks, from which it speaks to pods of other nodes."""
    return [
        ipaddress.ip_network(address)
        for name in CALICO_TUNNELS
        for address in sorted(devices[name].addresses if name in devices else [])
    ]


def pod_networks(
    addresses: Iterable[Any], routes: Iterable[Any], pods: Sequence[str], cni: str = 'auto', interfaces: Sequence[str] = ()
) -> List[str]:
    """The networks and single addresses of pods on this node, inside those of the cluster, sorted; none is inside another."""
    devices = devices_of(addresses)
    local = local_routes(routes, devices)
    if interfaces:
        found = [route.network for route in local if route.device in interfaces]
    else:
        tests = list(CNIS.values()) if cni == 'auto' else [CNIS[cni]]
        found = [route.network for route in local if any(test(route) for test in tests)]
        if cni in ('auto', 'calico'):
            found += calico_tunnel_addresses(devices)
    return widest(network for network in found if is_within(network, pods))


def is_within(network: Network, networks: Iterable[str]) -> bool:
    parsed = (ipaddress.ip_network(each) for each in networks)
    return any(each.version == network.version and network.subnet_of(each) for each in parsed)  # type: ignore[arg-type]


def widest(networks: Iterable[Network]) -> List[str]:
    """Sorted, without those inside another."""
    kept: List[Network] = []
    for network in sorted(set(networks), key=lambda each: (each.version, each.network_address, each.prefixlen)):
        # Whatever holds it begins no later and is sorted before it.
        if not kept or kept[-1].version != network.version or not network.subnet_of(kept[-1]):  # type: ignore[arg-type]
            kept.append(network)
    return [str(network) for network in kept]
