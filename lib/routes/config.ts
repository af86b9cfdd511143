import {
  adler32,
  conf,
  each,
  json,
  mod,
  named,
  orElse,
  prefixLength,
  release,
  some,
  text,
  when,
  type Each,
  type Expr,
  type Ref,
} from '../staged';
import type { z } from 'zod';
import type { agent } from '../../values/routes';
import { fabricJson, gatewayOverlay, isV4, isV6, maxLengthOf, type FabricValues } from '../frr/fabric';

/** The values of the agents on the nodes. */
export interface AgentValues extends FabricValues {
  readonly agent: Ref<z.output<typeof agent>>;
}

/** The gateways of the agents, and what they are known to lead to. */
export interface Gateways {
  /** The body for every gateway, with the name by which its pod is found. */
  readonly each: <B>(body: (name: Expr<string>, host: Expr<string>) => B) => Each<unknown>;
  /** The body for every network behind them that is known from the values. */
  readonly networks: <B>(body: (network: Expr<string>) => B) => Each<unknown>;
}

/** The name of the interface and of the packet filter's table on a node: after the release, so that two never meet in one. */
export const linkName = (fullname: Expr<string>): Expr<string> =>
  text`ovl${mod(adler32(text`${release.namespace}/${fullname}`), 1_000_000)}`;

/** What agent.py is told, as JSON. The last element of lists and maps is empty, so that each can end with a comma. */
export function agentConf(v: AgentValues, fullname: Expr<string>, gateways: Gateways): () => Expr<string> {
  const { agent, routes } = v;
  return named(
    'agentConf',
    {},
    () => conf`
    {
      "release": "${release.namespace}/${fullname}",
      "link": "${linkName(fullname)}",
      "service": "${fullname}-agents.${release.namespace}.svc",
      ${fabricJson(v)}
      "cni": "${agent.cni}",
      "podInterfaces": [
        ${each(agent.podInterfaces, (name) => conf`${json(name)},`)}
        ""
      ],
      "bfdMode": "${agent.bfd}",
      "bfd": {
        "intervalMilliseconds": ${routes.bfd.intervalMilliseconds},
        "multiplier": ${routes.bfd.multiplier}
      },
      "gateways": {
        ${gateways.each(
          (name, host) => conf`
          "${name}": {"host": "${host}", "overlay": "${gatewayOverlay(v, name)}"},
        `,
        )}
        "": null
      },
      "imports": [
        ${each(routes.import, (_name, taken) => imported(taken.cidr, maxLengthOf(taken), orElse(taken.whenDown, 'reject')))}
        ${gateways.networks((network) => imported(network, prefixLength(network), 'reject'))}
        null
      ]
    }
  `,
  );
}

const imported = (cidr: Expr<string>, maxLength: Expr<number>, whenDown: Expr<string> | string): Expr<string> =>
  conf`{"cidr": ${json(cidr)}, "maxLength": ${maxLength}, "whenDown": "${whenDown}"},`;

/**
 * The packet filter of a node, in the format of `nft -f` (nft(8)), which replaces all of it at once: only gateways and nodes send VXLAN
 * packets; what comes of them is of a remote network; pods keep their addresses on the way to it, whatever the CNI does; and TCP
 * segments fit. filter.sh fills in `$mss4` and `$mss6`, and the addresses of the gateways' pods.
 */
export function nodeFilter(v: AgentValues, fullname: Expr<string>, gateways: Gateways): () => Expr<string> {
  const { cluster, routes } = v;
  const link = linkName(fullname);
  const of = (networks: Expr<readonly string[]>, family: typeof isV4) =>
    each(networks, (network) => when(family(network), () => conf`${network},`));
  const remote = (family: typeof isV4) => conf`
    ${each(routes.import, (_name, { cidr }) => when(family(cidr), () => conf`${cidr},`))}
    ${gateways.networks((network) => when(family(network), () => conf`${network},`))}
  `;
  const kept = (family: typeof isV4) =>
    each(cluster.podCidrs, (network) => when(family(network), () => conf`${network} : ${network},`));
  return named(
    'nodeFilter',
    {},
    () => conf`
    table inet ${link}
    delete table inet ${link}
    table inet ${link} {
      # The pods of the gateways.
      set gateways {
        type ipv4_addr
      }
      set nodes4 {
        type ipv4_addr
        flags interval
        auto-merge
        ${when(
          some(cluster.nodeCidrs, isV4),
          () => conf`
          elements = {
            ${of(cluster.nodeCidrs, isV4)}
            ${of(cluster.nodeSources, isV4)}
          }
        `,
        )}
      }
      set pods4 {
        type ipv4_addr
        flags interval
        auto-merge
        ${when(
          some(cluster.podCidrs, isV4),
          () => conf`
          elements = {
            ${of(cluster.podCidrs, isV4)}
          }
        `,
        )}
      }
      # What may come from a gateway: itself, and what is behind it.
      set remote4 {
        type ipv4_addr
        flags interval
        auto-merge
        elements = {
          ${routes.overlay.gatewayNetwork},
          ${remote(isV4)}
        }
      }
      set remote6 {
        type ipv6_addr
        flags interval
        auto-merge
        elements = {
          ${routes.overlay.ipv6Network},
          ${remote(isV6)}
        }
      }
      chain from_gateways {
        ip saddr @remote4 return
        ip6 saddr @remote6 return
        drop
      }
      chain input {
        type filter hook input priority filter - 10; policy accept;
        udp dport ${routes.overlay.port} ip saddr @gateways accept
        udp dport ${routes.overlay.port} ip saddr @nodes4 accept
        udp dport ${routes.overlay.port} drop
        iifname "${link}" jump from_gateways
      }
      chain forward {
        type filter hook forward priority filter - 10; policy accept;
        iifname "${link}" jump from_gateways
        # Where the CNI masquerades, another node could not tell a pod from this node.
        udp dport ${routes.overlay.port} ip saddr @pods4 ip saddr != @gateways drop
      }
      chain clamp {
        type filter hook forward priority mangle; policy accept;
        meta nfproto ipv4 oifname "${link}" tcp flags & (syn | rst) == syn tcp option maxseg size set $mss4
        meta nfproto ipv4 iifname "${link}" tcp flags & (syn | rst) == syn tcp option maxseg size set $mss4
        meta nfproto ipv6 oifname "${link}" tcp flags & (syn | rst) == syn tcp option maxseg size set $mss6
        meta nfproto ipv6 iifname "${link}" tcp flags & (syn | rst) == syn tcp option maxseg size set $mss6
      }
      # A pod's own address in the place of itself: whoever comes after this finds that the flow has one.
      chain postrouting {
        type nat hook postrouting priority srcnat - 10; policy accept;
        ${when(
          some(cluster.podCidrs, isV4),
          () => conf`
          oifname "${link}" snat ip prefix to ip saddr map {
            ${kept(isV4)}
          }
        `,
        )}
        ${when(
          some(cluster.podCidrs, isV6),
          () => conf`
          oifname "${link}" snat ip6 prefix to ip6 saddr map {
            ${kept(isV6)}
          }
        `,
        )}
      }
    }
  `,
  );
}
