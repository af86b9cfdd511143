import { entryWith } from './address';
import { childOf, entranceOf, saSteps, type Tunnel } from './ipsec-gateway';
import type { Known } from './cluster';
import type { Handling, Host, Outcome, Packet, Step } from './walk';

/** What the remote end of a tunnel knows. */
export interface RemoteSite {
  readonly tunnel: Tunnel;
  /** Where it is, as far as that is known. */
  readonly address: string | undefined;
  /** What it is told by BGP; absent: its own configuration says what to lead into the tunnel. */
  readonly told?: readonly Known[];
  /** What its configuration leads into the tunnel, where it is as `showconf` prints it. */
  readonly configured: readonly Known[];
  /** What may be behind it. */
  readonly behind: readonly Known[];
  readonly gateway: Host;
}

/** The remote end of a tunnel, with what is behind it. */
export class RemoteHost implements Host {
  readonly title: string;

  constructor(private readonly site: RemoteSite) {
    this.title = `remote end of ${site.tunnel.name}${site.address === undefined ? '' : ` (${site.address})`}`;
  }

  handle(packet: Packet, by: string | undefined): Handling {
    return by === this.site.tunnel.name ? this.#receive(packet) : this.#send(packet);
  }

  #receive({ source, destination }: Packet): Handling {
    const found = entryWith(this.site.behind, ({ cidr }) => cidr, destination);
    const outcome: Outcome =
      found === undefined
        ? { verdict: 'lost', text: `${destination.text} is not behind it` }
        : { verdict: 'arrives', text: `behind it, from ${source.text}`, from: found.entry.from };
    return { steps: [], exits: [{ steps: [], onwards: outcome }] };
  }

  #send(packet: Packet): Handling {
    const { tunnel, told, configured, gateway } = this.site;
    const { source, destination } = packet;
    const lost = (text: string, from: string): Handling => ({
      steps: [],
      exits: [{ steps: [], onwards: { verdict: 'lost', text, from } }],
    });
    const led = entryWith(told ?? configured, ({ cidr }) => cidr, destination);
    if (led === undefined)
      return told === undefined
        ? lost(
            `its configuration (cdk8s-vpn showconf ipsec ${tunnel.name}) leads no network with ${destination.text} into the tunnel`,
            'cluster',
          )
        : lost(`it is told of no network with ${destination.text} by BGP`, 'routes.export');
    const step: Step =
      told === undefined
        ? {
            kind: 'route',
            text: `${led.entry.cidr}, if it is configured as cdk8s-vpn showconf ipsec ${tunnel.name} says`,
            from: led.entry.from,
          }
        : {
            kind: 'route',
            text: `${led.entry.cidr}, as it is told by BGP while a node is there`,
            from: led.entry.from,
          };
    const found = childOf(tunnel, source, destination, 'in');
    if (found === undefined)
      return {
        steps: [step],
        exits: [
          {
            steps: [],
            onwards: {
              verdict: 'refused',
              text: `no policy of ${tunnel.name} is for ${source.text} to ${destination.text}`,
              from: `tunnels.${tunnel.name}.children`,
            },
          },
        ],
      };
    const steps: Step[] = [
      ...saSteps(tunnel, found, 'in'),
      { kind: 'outer', text: tunnel.inwards, from: `gateways.${tunnel.gateway}.exposure` },
    ];
    const isPart = found.isPart || led.cover === 'part';
    return { steps: [step], exits: [{ steps, isPart, onwards: { host: gateway, by: entranceOf(tunnel), packet } }] };
  }
}
