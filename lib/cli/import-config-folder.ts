import { readdirSync, statSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { readTextFile } from '../helm/read-values-file';
import { ADDRESS_PATTERN } from '../net/address';
import { WIREGUARD_KEY_PATTERN, wireguardPublicKey } from '../net/wireguard-key';
import { InputError } from '../staged/input-error';
import { readKeyFile } from './key-file';
import { Refusals } from './refusals';

const FLAG = '--config';

/** The keys of a server. */
export interface OldServer {
  readonly privateKey: string;
  readonly publicKey: string;
}

/** What a folder `peer_<name>` says of its peer. Its private key is not among it: that stays with its owner. */
export interface OldPeer {
  /** The path of its file, for messages. */
  readonly file: string;
  readonly publicKey: string;
  readonly presharedKey?: string;
  /** As in its own file; empty if there is none. */
  readonly addresses: readonly string[];
  /** What it sends through the tunnel, by its own file. */
  readonly allowedIPs: string;
}

/**
 * The server of a copy of `/config`.
 *
 * @throws InputError with every problem of its keys; exit code 2 if the folder or its key is not there
 */
export function readOldServer(config: string): OldServer {
  if (!isFolder(config)) throw new InputError([`${config}: there is no such folder; check the path after ${FLAG}`], 2);
  const privateKey = readKeyFile(join(config, 'server/privatekey-server'), FLAG);
  const publicKey = wireguardPublicKey(privateKey);
  const file = join(config, 'server/publickey-server');
  if (isThere(file) && readKeyFile(file, FLAG) !== publicKey)
    throw new InputError([`${file}: does not belong to privatekey-server beside it; remove the one that is wrong`]);
  return { privateKey, publicKey };
}

/**
 * A peer of a copy of `/config`, if there is a folder for it.
 *
 * @param id the name of the folder: `peer1`, `peer_alice`
 * @throws InputError with every problem of its files
 */
export function readOldPeer(config: string, id: string, server: OldServer): OldPeer | undefined {
  const folder = join(config, id);
  // A name with other characters is none of the image's, and could lead elsewhere.
  if (!/^[\w-]+$/.test(id) || !isFolder(folder)) return undefined;
  const refusals = new Refusals();
  const [publicFile, privateFile, presharedFile] = ['publickey', 'privatekey', 'presharedkey'].map((name) =>
    join(folder, `${name}-${id}`),
  ) as [string, string, string];
  const [publicKey, privateKey, presharedKey] = [publicFile, privateFile, presharedFile].map((path) =>
    isThere(path) ? refusals.attempt(() => readKeyFile(path, FLAG)) : undefined,
  );
  const file = join(folder, `${id}.conf`);
  const conf = isThere(file) ? refusals.attempt(() => readConf(file)) : undefined;
  const own = [publicKey, privateKey, conf?.privateKey].flatMap((key, index) =>
    key === undefined ? [] : [index === 0 ? key : wireguardPublicKey(key)],
  );
  refusals.attempt(() => {
    const problems = [
      ![publicFile, privateFile].some(isThere) &&
        `${folder}: has neither publickey-${id} nor privatekey-${id}; add the key, or remove the folder`,
      new Set(own).size > 1 && `${folder}: its keys do not belong together; remove those that are wrong`,
      conf?.serverKey !== undefined &&
        conf.serverKey !== server.publicKey &&
        `${file}: is for another server than ${join(config, 'server')}; give the folder of that one`,
      conf?.presharedKey !== undefined &&
        conf.presharedKey !== presharedKey &&
        `${file}: has another pre-shared key than presharedkey-${id} beside it; remove the one that is wrong`,
      ...(conf?.addresses ?? []).map(
        (address) =>
          !ADDRESS_PATTERN.test(address) &&
          `${file}: Address: is not an IP address, got ${JSON.stringify(address)}; write it like "10.13.13.2"`,
      ),
    ].filter((problem) => typeof problem === 'string');
    if (problems.length > 0) throw new InputError(problems);
  });
  refusals.throwIfAny();
  return {
    file,
    publicKey: own[0] ?? '',
    ...(presharedKey !== undefined && { presharedKey }),
    addresses: conf?.addresses ?? [],
    allowedIPs: conf?.allowedIPs ?? '',
  };
}

/** The names of the folders of peers. */
export function peerFolders(config: string): string[] {
  return readdirSync(config)
    .filter((name) => /^peer_?[\w-]+$/.test(name) && isFolder(join(config, name)))
    .sort();
}

interface Conf {
  readonly addresses: readonly string[];
  readonly allowedIPs: string;
  readonly privateKey: string | undefined;
  readonly presharedKey: string | undefined;
  readonly serverKey: string | undefined;
}

/** The file of a client, in the format of wg-quick(8). */
function readConf(path: string): Conf {
  const { name, text } = readTextFile(path, FLAG);
  const lines = new Map<string, string[]>();
  for (const line of text.split(/\r?\n/)) {
    const [, key = '', value = ''] = /^\s*(\w+)\s*=\s*(.*?)\s*(?:#.*)?$/.exec(line) ?? [];
    lines.set(key.toLowerCase(), [...(lines.get(key.toLowerCase()) ?? []), value]);
  }
  const all = (key: string): string => (lines.get(key) ?? []).join(', ');
  const key = (name: string): string | undefined => lines.get(name)?.[0];
  const keys = { privateKey: key('privatekey'), presharedKey: key('presharedkey'), serverKey: key('publickey') };
  const bad = Object.values(keys).some((value) => value !== undefined && !WIREGUARD_KEY_PATTERN.test(value));
  if (bad) throw new InputError([`${name}: has a key that is none of WireGuard; write it as \`wg genkey\` prints it`]);
  const addresses = all('address')
    .split(/[\s,]+/)
    .flatMap((one) => (one === '' ? [] : [one.replace(/\/\d+$/, '')]));
  return { addresses, allowedIPs: all('allowedips'), ...keys };
}

/** Whether there is such a folder. */
export function isFolder(path: string): boolean {
  return statOf(path)?.isDirectory() === true;
}

function isThere(path: string): boolean {
  return statOf(path) !== undefined;
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    // What is wrong with the path is told when it is read.
    return undefined;
  }
}
