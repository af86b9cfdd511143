/** The width of Grafana's grid. */
const COLUMNS = 24;

/** A dashboard for Grafana (its JSON model, schema version 39), for every server that Prometheus reads. */
export const DASHBOARD = `${JSON.stringify(dashboard(), undefined, 2)}\n`;

interface Query {
  readonly expr: string;
  readonly legend: string;
}

interface Panel {
  readonly title: string;
  readonly type: 'stat' | 'timeseries' | 'table';
  readonly unit: string;
  readonly size: readonly [width: number, height: number];
  readonly queries: readonly Query[];
}

function panels(): Panel[] {
  const of = (metric: string, more = ''): string => `${metric}{namespace="$namespace",pod=~"$pod"${more}}`;
  const ofPeer = (metric: string): string => of(metric, ',peer=~"$peer"');
  const stat = (title: string, expr: string): Panel => ({
    title,
    type: 'stat',
    unit: 'none',
    size: [4, 4],
    queries: [{ expr, legend: '' }],
  });
  const graph = (title: string, unit: string, queries: readonly Query[]): Panel => ({
    title,
    type: 'timeseries',
    unit,
    size: [12, 8],
    queries,
  });
  return [
    stat('Ready', `min(${of('wireguard_ready')})`),
    stat('Peers configured', `sum(${of('wireguard_peers_configured')})`),
    stat('Peers missing', `sum(${of('wireguard_peers_configured')} - ${of('wireguard_peers_present')})`),
    stat('Peers with a session', `sum(${of('wireguard_peer_up')})`),
    stat('Peers left out', `sum(${of('wireguard_peers_left_out')}) or vector(0)`),
    stat('Endpoints unresolved', `sum(${of('wireguard_endpoints_unresolved')})`),
    graph('Received from peers', 'Bps', [
      { expr: `rate(${ofPeer('wireguard_peer_receive_bytes_total')}[$__rate_interval])`, legend: '{{peer}}' },
    ]),
    graph('Sent to peers', 'Bps', [
      { expr: `rate(${ofPeer('wireguard_peer_transmit_bytes_total')}[$__rate_interval])`, legend: '{{peer}}' },
    ]),
    graph('Age of the last handshake', 's', [
      { expr: ofPeer('wireguard_peer_handshake_age_seconds'), legend: '{{peer}}' },
    ]),
    graph('Session', 'bool_on_off', [{ expr: ofPeer('wireguard_peer_up'), legend: '{{peer}}' }]),
  ];
}

function dashboard(): unknown {
  const datasource = { type: 'prometheus', uid: '${datasource}' };
  let [x, y, rowHeight] = [0, 0, 0];
  const placed = panels().map(({ title, type, unit, size: [w, h], queries }, index) => {
    if (x + w > COLUMNS) [x, y] = [0, y + rowHeight];
    const gridPos = { x, y, w, h };
    [x, rowHeight] = [x + w, h];
    return {
      id: index + 1,
      title,
      type,
      datasource,
      gridPos,
      fieldConfig: { defaults: { unit }, overrides: [] },
      targets: queries.map(({ expr, legend }, query) => ({
        refId: String.fromCharCode(65 + query),
        datasource,
        expr,
        legendFormat: legend,
      })),
    };
  });
  const variable = (name: string, query: string) => ({
    name,
    type: 'query',
    datasource,
    query: { query, refId: name },
    refresh: 2,
    includeAll: name !== 'namespace',
    multi: name !== 'namespace',
    sort: 1,
  });
  return {
    title: 'WireGuard',
    schemaVersion: 39,
    tags: ['vpn', 'wireguard'],
    editable: true,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', type: 'datasource', query: 'prometheus' },
        variable('namespace', 'label_values(wireguard_ready, namespace)'),
        variable('pod', 'label_values(wireguard_ready{namespace="$namespace"}, pod)'),
        variable('peer', 'label_values(wireguard_peer_up{namespace="$namespace",pod=~"$pod"}, peer)'),
      ],
    },
    panels: placed,
  };
}
