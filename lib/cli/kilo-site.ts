import type { z } from 'zod';
import { CHARTS } from '../../charts';
import type { kiloValues } from '../../values/kilo';
import type { LoadedValues } from '../helm/load-values';
import { meshProblems } from '../kilo/client';
import { meshNodes, type MeshNode } from '../kilo/mesh-node';
import { InputError } from '../staged/input-error';
import { siteOf, type ValuesFlags } from './commands';
import { readNodes } from './read-nodes';
import { withPlaces } from './with-places';
import { knownEntry } from './known-entry';

type Values = z.output<typeof kiloValues>;

/** The good values of Kilo, and what can be asked about them. */
export class KiloSite {
  private constructor(
    /** The values, with the defaults of the chart. */
    readonly values: Values,
    readonly loaded: LoadedValues,
  ) {}

  /**
   * Loads the values that the flags give.
   *
   * @throws InputError with every problem of the values
   */
  static load(flags: ValuesFlags): KiloSite {
    const { loaded, options } = siteOf(flags);
    withPlaces(loaded, () => CHARTS.kilo.objects(options));
    return new KiloSite(CHARTS.kilo.environment(options).values as Values, loaded);
  }

  /**
   * The peer of this name, which must be there.
   *
   * @throws InputError with exit code 2 if it is not
   */
  knownPeer(name: string): Values['peers'][string] {
    return knownEntry('peer', name, this.values.peers);
  }

  /**
   * The nodes of the files that Kilo counts in, and a sentence for each other one.
   *
   * @throws InputError with every problem of the files, or if there are none, or if they are of another mesh than the values
   */
  mesh(files: readonly string[]): { readonly ready: readonly MeshNode[]; readonly leftOut: readonly string[] } {
    if (files.length === 0)
      throw new InputError(['--nodes: is missing; give what `kubectl get nodes -o yaml` prints'], 2);
    const mesh = meshNodes(readNodes(files), this.values);
    if (mesh.ready.length === 0) {
      const none = 'no node has an agent of Kilo; install these values, then give the nodes anew';
      throw new InputError([...mesh.leftOut, `${files.join(', ')}: ${none}`]);
    }
    const problems = meshProblems(this.values, mesh.ready);
    if (problems.length > 0)
      withPlaces(this.loaded, () => {
        throw new InputError(problems);
      });
    return mesh;
  }
}
