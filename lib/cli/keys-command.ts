import { freeAddress } from '../net/free-address';
import { newWireguardPrivateKey, wireguardPublicKey } from '../net/wireguard-key';
import { toYaml } from '../helm/yaml';
import type { JsonObject } from '../helm/values-file';
import { clientFile, serverLines } from './client-file';
import type { ValuesFlags } from './commands';
import { refuseExisting, writeNewFiles } from './new-files';
import { Refusals } from './refusals';
import { tell } from './report';
import { tellTunnelName } from './tunnel-name';
import { WireGuardSite } from './wireguard-site';

/** The flags of `keys`. */
export interface KeysFlags extends ValuesFlags {
  readonly privateKeyFile?: string;
  readonly conf?: string;
}

/** `keys`: a new key pair for a peer. The private key goes into a file, what the values need to standard output. */
export function keysCommand(chart: string, name: string, flags: KeysFlags): void {
  const { privateKeyFile = `${name}.key`, conf } = flags;
  const site = WireGuardSite.load(chart, flags);
  site.refuseGenerated(name);
  const privateKey = newWireguardPrivateKey();
  const refusals = new Refusals();
  refusals.attempt(() => {
    refuseExisting(conf === undefined ? [privateKeyFile] : [privateKeyFile, conf]);
  });
  const more = refusals.attempt(() => valuesOf(site, name, wireguardPublicKey(privateKey)));
  const server = conf === undefined ? undefined : refusals.attempt(() => serverLines(site));
  const after = more === undefined ? undefined : refusals.attempt(() => site.with(more));
  refusals.throwIfAny();
  if (more === undefined || after === undefined) return;

  const files = [{ path: privateKeyFile, content: `${privateKey}\n` }];
  if (conf !== undefined && server !== undefined) {
    files.push({ path: conf, content: clientFile(after, name, server, { privateKey }) });
  }
  writeNewFiles(files);
  process.stdout.write(toYaml(more));
  tell(`wrote ${files.map(({ path }) => path).join(' and ')}; add the lines above to the values`);
  if (conf !== undefined) tellTunnelName(conf);
  if (Object.keys(site.values.peersFrom).length > 0) {
    tell('the peers of peersFrom are not known here: see that none of them has this name or these addresses');
  }
}

/** What the values need: of a peer that is there already only the key is new. */
function valuesOf(site: WireGuardSite, name: string, publicKey: string): JsonObject {
  if (site.peer(name) !== undefined) return { peers: { [name]: { publicKey } } };
  const { network, network6, peers } = site.values;
  const taken = Object.values(peers).flatMap(({ addresses }) => addresses);
  const networks = network6 === undefined ? { network } : { network, network6 };
  const free = Object.entries(networks).map(([key, of]) => ({ key, of, address: freeAddress(of, taken) }));
  const full = free.filter(({ address }) => address === undefined);
  if (full.length > 0) {
    site.refuse(
      full.map(
        ({ key, of }) => `${key}: has no free address for another peer, got ${JSON.stringify(of)}; remove a peer`,
      ),
    );
  }
  return { peers: { [name]: { publicKey, addresses: free.flatMap(({ address }) => address ?? []) } } };
}
