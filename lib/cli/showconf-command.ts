import { wireguardPublicKey } from '../net/wireguard-key';
import { InputError } from '../staged/input-error';
import { clientFile, serverLines, type ClientFormat, type ClientKeys } from './client-file';
import type { ValuesFlags } from './commands';
import { readKeyFile } from './key-file';
import { refuseExisting, writeNewFiles } from './new-files';
import { png } from './png';
import { QR_MAX_BYTES, qrCode, qrText, type QrCode } from './qr-code';
import { Refusals } from './refusals';
import { tell } from './report';
import { tellTunnelName } from './tunnel-name';
import { WireGuardSite, type Peer } from './wireguard-site';

/** The flags of `showconf`. */
export interface ShowconfFlags extends ValuesFlags {
  readonly privateKeyFile?: string;
  readonly presharedKeyFile?: string;
  readonly qr?: boolean;
  readonly format: ClientFormat;
  readonly output?: string;
}

/** `showconf`: the file of a client, or its QR code, on standard output or in a file. */
export function showconfCommand(chart: string, name: string, flags: ShowconfFlags): void {
  const { format, output, qr = false } = flags;
  const site = WireGuardSite.load(chart, flags);
  site.refuseGenerated(name, qr ? ' --qr' : '');
  const refusals = new Refusals();
  refusals.attempt(() => {
    refuseFlags(flags);
  });
  const peer = refusals.attempt(() => site.knownPeer(name));
  const server = refusals.attempt(() => serverLines(site));
  const keys = refusals.attempt(() => keysOf(flags));
  if (peer !== undefined && keys !== undefined) {
    refusals.attempt(() => {
      refuseKeys(name, peer, keys, flags);
    });
  }
  refusals.throwIfAny();
  if (server === undefined || keys === undefined) return;

  const text = clientFile(site, name, server, keys, format);
  const code = qr ? codeOf(text, name) : undefined;
  if (output !== undefined) {
    writeNewFiles([{ path: output, content: code === undefined ? text : png(code) }]);
    tell(`wrote ${output}`);
    if (code === undefined && format === 'wg-quick') tellTunnelName(output);
    return;
  }
  process.stdout.write(code === undefined ? text : qrText(code, process.stdout.isTTY));
  if (code !== undefined && code.length > process.stdout.columns) {
    tell(`the QR code is ${String(code.length)} columns wide, and this terminal less; enlarge it, or use -o FILE.png`);
  }
}

/** @throws InputError about flags that do not go together, and a file that is there already */
function refuseFlags({ values, qr = false, format, output, privateKeyFile, presharedKeyFile }: ShowconfFlags): void {
  const problems: string[] = [];
  if (qr && format === 'wg') {
    problems.push('--qr: apps read the format wg-quick only, got --format wg; leave one of the two out');
  }
  if (output !== undefined && qr !== /\.png$/i.test(output)) {
    problems.push(
      qr
        ? `-o: a QR code is written as a PNG picture, got ${JSON.stringify(output)}; name a file that ends in .png`
        : `-o: a file of this name would be a picture, got ${JSON.stringify(output)}; add --qr, or name another file`,
    );
  }
  if ([...values, privateKeyFile, presharedKeyFile].filter((file) => file === '-').length > 1) {
    problems.push('-: standard input can be read once only; give the other files by name');
  }
  const refusals = new Refusals();
  refusals.attempt(() => {
    if (problems.length > 0) throw new InputError(problems, 2);
  });
  refusals.attempt(() => {
    refuseExisting(output === undefined ? [] : [output]);
  });
  refusals.throwIfAny();
}

function keysOf({ privateKeyFile, presharedKeyFile }: ShowconfFlags): ClientKeys {
  const refusals = new Refusals();
  const read = (path: string | undefined, flag: string): string | undefined =>
    path === undefined ? undefined : refusals.attempt(() => readKeyFile(path, flag));
  const keys = {
    privateKey: read(privateKeyFile, '--private-key-file'),
    presharedKey: read(presharedKeyFile, '--preshared-key-file'),
  };
  refusals.throwIfAny();
  return keys;
}

/** @throws InputError about keys that are not the peer's, and keys that a QR code would lack */
function refuseKeys(name: string, peer: Peer, { privateKey, presharedKey }: ClientKeys, flags: ShowconfFlags): void {
  const problems = [];
  if (privateKey !== undefined && wireguardPublicKey(privateKey) !== peer.publicKey) {
    problems.push(
      `--private-key-file: this key does not belong to peers.${name}.publicKey; ` +
        `give the one that does, or make a new pair with cdk8s-vpn keys`,
    );
  }
  if (presharedKey !== undefined && peer.presharedKey?.existingSecret === undefined) {
    problems.push(
      peer.presharedKey === undefined
        ? `--preshared-key-file: peers.${name} has no pre-shared key; leave the flag out, or set presharedKey`
        : `--preshared-key-file: the key is in peers.${name}.presharedKey.value already; leave the flag out`,
    );
  }
  if (flags.qr === true && privateKey === undefined) {
    problems.push('--qr: without its private key the client would not work; give --private-key-file');
  }
  if (flags.qr === true && peer.presharedKey?.existingSecret !== undefined && presharedKey === undefined) {
    problems.push('--qr: without its pre-shared key the client would not work; give --preshared-key-file');
  }
  if (problems.length > 0) throw new InputError(problems, 2);
}

function codeOf(text: string, name: string): QrCode {
  const bytes = Buffer.byteLength(text);
  if (bytes <= QR_MAX_BYTES) return qrCode(text);
  throw new InputError(
    [
      `--qr: the file is too long for a QR code, which takes ${String(QR_MAX_BYTES)} bytes, got ${String(bytes)} bytes; ` +
        `shorten client.allowedIPs or peers.${name}.client.allowedIPs`,
    ],
    2,
  );
}
