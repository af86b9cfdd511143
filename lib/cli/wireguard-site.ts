import type { z } from 'zod';
import { CHARTS } from '../../charts';
import type { wireguardValues } from '../../values/wireguard';
import type { PlainOptions } from '../helm/chart';
import { loadValues, type LoadedValues } from '../helm/load-values';
import { mergeLayers } from '../helm/merge';
import type { JsonObject } from '../helm/values-file';
import { InputError } from '../staged/input-error';
import { nearest } from '../staged/nearest';
import type { Expr } from '../staged/node';
import type { WireGuardServer } from '../wireguard/server';
import { chartNamed, type ValuesFlags } from './commands';
import { withPlaces } from './with-places';

export type Values = z.output<typeof wireguardValues>;
export type Peer = Values['peers'][string];

/** The good values of one WireGuard server, and what can be asked about them. */
export class WireGuardSite {
  /** The values, with the defaults of the chart. */
  readonly values: Values;
  readonly #options: PlainOptions;

  private constructor(
    readonly loaded: LoadedValues,
    given: JsonObject,
    readonly namespace: string,
    readonly release: string,
  ) {
    this.#options = { values: given, release: { name: release, namespace } };
    withPlaces(loaded, () => CHARTS.wireguard.objects(this.#options));
    this.values = CHARTS.wireguard.environment(this.#options).values as Values;
  }

  /**
   * Loads the values that the flags give.
   *
   * @throws InputError with every problem of the values
   */
  static load(chart: string, flags: ValuesFlags): WireGuardSite {
    if (chartNamed(chart).name !== 'wireguard')
      throw new InputError([`chart: this one has no peers with keys, got ${JSON.stringify(chart)}; name wireguard`], 2);
    const loaded = loadValues({ files: flags.values, set: flags.set, setString: flags.setString });
    return new WireGuardSite(loaded, loaded.values, flags.namespace, flags.release);
  }

  /** The same with more values, which must be good as well. */
  with(more: JsonObject): WireGuardSite {
    return new WireGuardSite(this.loaded, mergeLayers(this.loaded.values, more), this.namespace, this.release);
  }

  text(of: (server: WireGuardServer) => Expr<string>): string {
    return CHARTS.wireguard.text(of, this.#options);
  }

  get fullname(): string {
    return this.text((server) => server.fullname);
  }

  /** The peer of this name, if there is one. */
  peer(name: string): Peer | undefined {
    return new Map(Object.entries(this.values.peers)).get(name);
  }

  /**
   * The peer of this name, which must be there.
   *
   * @throws InputError with exit code 2 if it is not
   */
  knownPeer(name: string): Peer {
    const peer = this.peer(name);
    if (peer !== undefined) return peer;
    const { peers, peersFrom } = this.values;
    const guess = nearest(name, Object.keys(peers));
    const elsewhere = Object.keys(peersFrom).length === 0 ? '' : ' (those of peersFrom are not known here)';
    const advice = guess === undefined ? 'name a key of peers' : `did you mean ${guess}?`;
    throw new InputError([`peer: there is no such peer${elsewhere}, got ${JSON.stringify(name)}; ${advice}`], 2);
  }

  /**
   * @param flags what stands behind the command that shows the file of such a peer
   * @throws InputError if the pod makes the keys of this peer
   */
  refuseGenerated(name: string, flags = ''): void {
    if (this.peer(name)?.generate !== true) return;
    const command = this.exec(`sh /scripts/showconf.sh ${name}${flags}`);
    this.refuse([
      `peers.${name}.generate: the pod makes the keys of this peer, got true; \`${command}\` shows its file`,
    ]);
  }

  /** A command that runs inside the pod. */
  exec(command: string): string {
    return `${this.kubectl(`exec deploy/${this.fullname} -c wireguard`)} -- ${command}`;
  }

  kubectl(command: string): string {
    return `kubectl -n ${this.namespace} ${command}`;
  }

  /** @throws InputError with these problems of the values, and where they are */
  refuse(problems: readonly string[]): never {
    return withPlaces(this.loaded, () => {
      throw new InputError(problems);
    });
  }
}
