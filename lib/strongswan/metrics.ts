import type { Construct } from 'constructs';
import { alert, alerts } from '../kubernetes/alerts';
import type { Naming } from '../kubernetes/metadata';
import { bytes, choose, count, each, gt, join, ne, release, text, trunc, when, type Expr } from '../staged';
import { usesFabric, type IpsecValues } from './tunnel';

/** The object that lets Prometheus judge the gateways, and the route agents: it is there if the values ask for it. */
export function ipsecAlerts(scope: Construct, v: IpsecValues, naming: Naming): void {
  const { prometheusRule: rule } = v.metrics;
  alerts(scope, rule, naming, rule.enabled, () => rulesOf(v, naming));
}

/** How long a name may be so that what is appended to it for a pod, the hash of the template and five characters, is there whole. */
const LONGEST_WHOLE = 46;
/** The pods of a Deployment. The API server cuts long names before it appends the last five characters. */
const podPattern = (name: Expr<string>): Expr<string> =>
  choose(
    gt(bytes(name), LONGEST_WHOLE),
    text`${trunc(LONGEST_WHOLE, name)}[a-z0-9-]+`,
    text`${name}-[a-z0-9]+-[a-z0-9]+`,
  );

function rulesOf(v: IpsecValues, naming: Naming) {
  const { prometheusRule: rule } = v.metrics;
  const names = join(
    '|',
    each(v.gateways, (name) => podPattern(text`${naming.fullname}-${name}`)),
  );
  const ofGateways = text`namespace="${release.namespace}",pod=~"${names}"`;
  const ofAgents = text`namespace="${release.namespace}",pod=~"${naming.fullname}-agents-[a-z0-9]+"`;
  const gateways = text`${release.namespace}/${naming.fullname}`;
  return [
    alert(
      rule,
      'IpsecTunnelDown',
      text`ipsec_tunnel_up{${ofGateways}} == 0`,
      '5m',
      'critical',
      text`The tunnel {{ $labels.tunnel }} of the gateways ${gateways} is down.`,
      'The health server of its gateway says why: GET /status.',
    ),
    alert(
      rule,
      'IpsecAbsent',
      text`absent(ipsec_charon_up{${ofGateways}})`,
      '10m',
      'critical',
      text`Nothing is known of the gateways ${gateways}.`,
      'Their pods are gone, their health servers do not answer, or Prometheus does not read them.',
    ),
    when(gt(count(v.gateways), 1), () =>
      alert(
        rule,
        'IpsecOneGatewayLeft',
        text`sum(ipsec_gateway_carrying{${ofGateways}}) == 1`,
        '10m',
        'warning',
        text`One of the gateways ${gateways} is left that carries.`,
        'If it fails too there is no way to the remote networks. The health servers of the others say why they do not: GET /status.',
      ),
    ),
    when(usesFabric(v), () => [
      alert(
        rule,
        'IpsecBgpSessionDown',
        text`ipsec_bgp_session_up{${ofGateways}} == 0`,
        '5m',
        'critical',
        text`The BGP session of the tunnel {{ $labels.tunnel }} of the gateways ${gateways} is down.`,
        'Its gateway says in which state it is: GET /status. The log of the container frr says more.',
      ),
      alert(
        rule,
        'IpsecPrefixLimitNear',
        text`ipsec_bgp_prefixes_received{${ofGateways}} > 0.8 * ipsec_bgp_prefixes_limit{${ofGateways}}`,
        '10m',
        'warning',
        text`The remote end of the tunnel {{ $labels.tunnel }} of the gateways ${gateways} announces {{ $value }} prefixes, almost as many as it may.`,
        'One more than it may ends its session. Raise maxPrefixes, or have it announce fewer.',
      ),
      alert(
        rule,
        'IpsecGatewayWithoutNodes',
        text`ipsec_fabric_nodes{${ofGateways},state="established"} == 0`,
        '5m',
        'critical',
        text`No node has a session with the gateway of the pod {{ $labels.pod }} of ${gateways}.`,
        'Nothing goes through it. The health servers of the route agents say why: GET /status.',
      ),
      when(ne<string>(v.agent.bfd, 'off'), () =>
        alert(
          rule,
          'IpsecNodesWithoutBfd',
          text`ipsec_fabric_nodes{${ofGateways},state="without_bfd"} > 0`,
          '15m',
          'warning',
          text`{{ $value }} nodes have no BFD with the gateway of the pod {{ $labels.pod }} of ${gateways}.`,
          'They notice only after the hold time of BGP that a gateway is gone. Another daemon may have the ports of BFD on the node.',
        ),
      ),
      alert(
        rule,
        'RouteAgentWithoutGateway',
        text`vpn_agent_gateways_established{${ofAgents}} == 0`,
        '5m',
        'critical',
        text`The route agent {{ $labels.pod }} of ${gateways} has no session with any gateway.`,
        'Its node has no way to the remote networks. Its health server says why: GET /status.',
      ),
    ]),
  ];
}
