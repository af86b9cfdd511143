/* The public surface of cdk8s-vpn: constructs, the schemas of their values, charts, and the staged vocabulary. */
export { WireGuardServer, type WireGuardServerProps } from './wireguard/server';
export { IpsecGateways, type GatewayConfig, type IpsecGatewaysProps } from './strongswan/gateways';
export { BgpReflector, type BgpReflectorProps } from './frr/reflector';
export { RouteAgent, type RouteAgentProps } from './routes/agents';
export { type Detection } from './strongswan/detection';
export { type CloudFormat, type CounterpartKind, type CounterpartOptions } from './strongswan/counterpart';
export { ipsecValues } from '../values/ipsec';
export { bgpReflectorValues } from '../values/bgp-reflector';
export { routeAgentValues } from '../values/route-agent';
export { wireguardPeer, wireguardValues } from '../values/wireguard';
export { HelmChart, helmChart, type ChartMetadata, type HelmChartProps, type PlainOptions } from './helm/chart';
export { loadValues, type LoadedValues, type ValuesSources } from './helm/load-values';
export * from './staged';
