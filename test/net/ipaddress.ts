/** Python's `ipaddress` module as the judge of addresses and networks. */
import { execFileSync } from 'node:child_process';

/** What Python says of a text. The facts about a network are of a text that is an address or in CIDR form. */
export interface Verdict {
  readonly ipv4: boolean;
  readonly ipv6: boolean;
  readonly ipv4Cidr: boolean;
  readonly ipv6Cidr: boolean;
  readonly prefixLength: number;
  /** Family and prefix bits, as `networkBits` writes them. */
  readonly bits: string;
  /** The network's address plus one; empty where that is outside of the network. */
  readonly firstHost: string;
}

// Left out of what Python accepts, as in our patterns: zone ids, dotted quads in IPv6, masks other than a plain length.
const PROGRAM = `
import ipaddress, json, re, sys

def valid(make, text):
    try:
        make(text)
        return True
    except ValueError:
        return False

def verdict(text):
    address, slash, length = text.partition('/')
    plain = re.fullmatch('0|[1-9][0-9]*', length, re.ASCII) is not None
    ipv4 = valid(ipaddress.IPv4Address, address)
    ipv6 = valid(ipaddress.IPv6Address, address) and '%' not in text and '.' not in text
    cidr = plain and (ipv4 or ipv6) and int(length) <= (32 if ipv4 else 128)
    of = {
        'ipv4': ipv4 and not slash, 'ipv6': ipv6 and not slash, 'ipv4Cidr': ipv4 and cidr, 'ipv6Cidr': ipv6 and cidr,
        'prefixLength': -1, 'bits': '', 'firstHost': '',
    }
    if (ipv4 or ipv6) and (cidr or not slash):
        network = ipaddress.ip_network(text, strict=False)
        width = network.max_prefixlen
        first = network.network_address + 1 if network.num_addresses > 1 else None
        of['prefixLength'] = network.prefixlen
        of['bits'] = f'{network.version}.' + format(int(network.network_address), f'0{width}b')[:network.prefixlen]
        of['firstHost'] = str(first) if first is not None else ''
    return of

json.dump([verdict(text) for text in json.load(sys.stdin)], sys.stdout)
`;

/** What Python says of each text, in their order. */
export function judged(texts: readonly string[]): [text: string, verdict: Verdict][] {
  const answer = execFileSync('python3', ['-c', PROGRAM], {
    input: JSON.stringify(texts),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const verdicts = JSON.parse(answer) as Verdict[];
  return texts.map((text, index) => {
    const verdict = verdicts[index];
    if (verdict === undefined) throw new Error(`Python gave no verdict on ${JSON.stringify(text)}`);
    return [text, verdict];
  });
}
