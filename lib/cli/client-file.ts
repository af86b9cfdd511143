import { wireguardPublicKey } from '../net/wireguard-key';
import type { ClientLines } from '../wireguard/client';
import type { Peer, WireGuardSite } from './wireguard-site';

/** The formats of wg-quick(8), which apps import, and of `wg setconf`, wg(8). */
export const CLIENT_FORMATS = ['wg-quick', 'wg'] as const;
export type ClientFormat = (typeof CLIENT_FORMATS)[number];

/** The keys of a client that are at hand. */
export interface ClientKeys {
  readonly privateKey?: string | undefined;
  /** If it is not in the values. */
  readonly presharedKey?: string | undefined;
}

/** What all clients are told of the server. */
export type ServerLines = Pick<ClientLines, 'publicKey' | 'endpoint'>;

/**
 * The file of a client. In the place of a key that is not at hand is a comment that says so.
 *
 * @param server what {@link serverLines} gives
 */
export function clientFile(
  site: WireGuardSite,
  name: string,
  server: ServerLines,
  { privateKey, presharedKey }: ClientKeys,
  format: ClientFormat = 'wg-quick',
): string {
  const lines: ClientLines = {
    ...server,
    privateKey:
      privateKey === undefined ? '# PrivateKey = (the private key of this client)' : `PrivateKey = ${privateKey}`,
    presharedKey: presharedKeyLine(site.values.peers[name]?.presharedKey, presharedKey),
  };
  return `${site.text((of) => of.clientConf(name, lines, format))}\n`;
}

function presharedKeyLine(of: Peer['presharedKey'], given: string | undefined): string | undefined {
  const key = of?.value ?? given;
  if (key !== undefined) return `PresharedKey = ${key}`;
  if (of === undefined) return undefined;
  return `# PresharedKey = (key ${of.key ?? 'preshared-key'} of the Secret ${of.existingSecret ?? ''})`;
}

/**
 * What all clients are told of the server, from the values.
 *
 * @throws InputError with what the values do not say, and how to learn it
 */
export function serverLines(site: WireGuardSite): ServerLines {
  const { endpoint, serverPublicKey, privateKey } = site.values;
  const derived = privateKey.value === undefined ? undefined : wireguardPublicKey(privateKey.value);
  const publicKey = serverPublicKey ?? derived;
  const problems = [];
  if (endpoint === undefined) {
    problems.push(`endpoint: is missing, so no client would find the server; set it to ${whereClientsReach(site)}`);
  }
  if (publicKey === undefined) {
    const command = site.exec(`wg show ${site.values.interfaceName} public-key`);
    problems.push(`serverPublicKey: is missing, and every client needs it; set it to what \`${command}\` prints`);
  } else if (derived !== undefined && publicKey !== derived) {
    problems.push(
      `serverPublicKey: is not the public key of privateKey.value, got ${JSON.stringify(publicKey)}; remove one of the two`,
    );
  }
  if (endpoint === undefined || publicKey === undefined || problems.length > 0) site.refuse(problems);
  return { publicKey: `PublicKey = ${publicKey}`, endpoint: `Endpoint = ${endpoint}` };
}

/** The ways that the notes of the chart name, from outside the cluster first. */
function whereClientsReach(site: WireGuardSite): string {
  const { service, hostPort } = site.values;
  const ofService = (path: string): string =>
    `\`${site.kubectl(`get service ${site.fullname} -o jsonpath='${path}'`)}\``;
  const ways = {
    LoadBalancer: () =>
      `what ${ofService('{.status.loadBalancer.ingress[0]}')} prints, with the port ${String(service.port)}`,
    NodePort: () => `the address of a node, with the port that ${ofService('{.spec.ports[0].nodePort}')} prints`,
    ClusterIP: () => `${site.fullname}.${site.namespace}.svc:${String(service.port)}, inside the cluster only`,
  };
  const byService = service.enabled ? [ways[service.type]()] : [];
  const ofPod = `get pod -l app.kubernetes.io/instance=${site.release} -o jsonpath='{.items[0].status.hostIP}'`;
  const byNode =
    hostPort === undefined ? [] : [`what \`${site.kubectl(ofPod)}\` prints, with the port ${String(hostPort)}`];
  const all = service.type === 'ClusterIP' ? [...byNode, ...byService] : [...byService, ...byNode];
  return all.length === 0
    ? 'where they reach it, and service.enabled to true or hostPort to a port'
    : all.join(', or to ');
}
