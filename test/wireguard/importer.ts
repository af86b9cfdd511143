/**
 * A reader of client files as strict as the strictest of the apps: WireGuard for Apple (TunnelConfiguration+WgQuickConfig)
 * and for Android (Interface, Peer). What one of them refuses is refused here.
 */
import { isIP } from 'node:net';

type Section = Readonly<Record<string, string>>;

export interface Tunnel {
  readonly interface: Section;
  readonly peers: readonly Section[];
}

const isKey = (text: string): boolean =>
  Buffer.from(text, 'base64').length === 32 && Buffer.from(text, 'base64').toString('base64') === text;
const isNumber = (text: string, most: number): boolean => /^[0-9]+$/.test(text) && Number(text) <= most;
const isHost = (text: string): boolean => /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(text);
const isNetwork = (text: string): boolean => {
  const [address = '', length, ...rest] = text.split('/');
  const family = isIP(address);
  return family !== 0 && rest.length === 0 && (length === undefined || isNumber(length, family === 4 ? 32 : 128));
};
const isListOf = (isOne: (text: string) => boolean) => (text: string) =>
  text.split(',').every((one) => isOne(one.trim()));

const TAKES: Readonly<Record<string, Readonly<Record<string, (text: string) => boolean>>>> = {
  '[Interface]': {
    PrivateKey: isKey,
    ListenPort: (text) => isNumber(text, 65535),
    Address: isListOf(isNetwork),
    DNS: isListOf((text) => isIP(text) !== 0 || isHost(text)),
    MTU: (text) => isNumber(text, 65535),
  },
  '[Peer]': {
    PublicKey: isKey,
    PresharedKey: isKey,
    AllowedIPs: isListOf(isNetwork),
    Endpoint: (text) => {
      const [, bracketed, host, port] = /^(?:\[(.*)\]|([^:]*)):([0-9]+)$/.exec(text) ?? [];
      const isRight = bracketed !== undefined ? isIP(bracketed) === 6 : host !== undefined && isHost(host);
      return isRight && port !== undefined && isNumber(port, 65535) && port !== '0';
    },
    PersistentKeepalive: (text) => isNumber(text, 65535),
  },
};

/**
 * @throws Error with the line that is refused
 */
export function importClientFile(text: string): Tunnel {
  const sections: { name: string; keys: Map<string, string> }[] = [];
  for (const line of text.split('\n')) {
    const plain = line.replace(/#.*/, '').trim();
    if (plain === '') continue;
    if (plain in TAKES) {
      sections.push({ name: plain, keys: new Map() });
      continue;
    }
    const [, key = '', value = ''] = /^([^=]*?)\s*=\s*(.*)$/.exec(plain) ?? [];
    const section = sections.at(-1);
    const isValue = section === undefined ? undefined : TAKES[section.name]?.[key];
    if (section === undefined || isValue === undefined) throw new Error(`unknown: ${line}`);
    if (section.keys.has(key)) throw new Error(`repeated: ${line}`);
    if (!isValue(value)) throw new Error(`invalid: ${line}`);
    section.keys.set(key, value);
  }
  const named = (name: string): Section[] =>
    sections.filter((section) => section.name === name).map(({ keys }) => Object.fromEntries(keys));
  const [own, ...others] = named('[Interface]');
  const peers = named('[Peer]');
  if (own?.['PrivateKey'] === undefined || others.length > 0)
    throw new Error('no interface, no private key, or several');
  const keys = peers.map((peer) => peer['PublicKey']);
  if (keys.includes(undefined) || new Set(keys).size < keys.length)
    throw new Error('a peer without a key, or two of one');
  return { interface: own, peers };
}
