import {
  check,
  conf,
  each,
  eq,
  hasKey,
  InputError,
  ne,
  not,
  pathOf,
  text,
  when,
  type Each,
  type Expr,
  type When,
} from '../staged';
import { nodeOf } from '../staged/node';
import { reduce } from '../staged/reduce';
import { IPV4_PATTERN } from '../net/address';
import {
  COUNTERPARTS,
  strongswanCounterpart,
  strongswanCounterpartDaemon,
  strongswanCounterpartNetwork,
  type CounterpartKind,
  type CounterpartOptions,
} from './counterpart';
import { speaksBgp } from './bgp';
import { awsRules, awsTerraform, awsText } from './counterpart-aws';
import { frrCounterpart } from './counterpart-frr';
import { gcpRules, gcpTerraform, gcpText } from './counterpart-gcp';
import { PRESETS } from './presets';
import { presetOf, tunnelOf, type IpsecValues, type TunnelValues } from './tunnel';

type Write = (v: IpsecValues, name: Expr<string>, t: TunnelValues, options: CounterpartOptions) => Expr<string>;

/** What the remote end of a tunnel has to be configured with, by the names of files. */
export function counterpartFiles(
  v: IpsecValues,
  tunnel: string,
  as: CounterpartKind,
  options: CounterpartOptions,
): Readonly<Record<string, Expr<string>>> {
  const of = (write: Write): Expr<string> =>
    conf`${each(v.tunnels, (name, t) => when(eq(name, tunnel), () => write(v, name, t, options)))}`;
  const isTerraform = options.format === 'terraform';
  switch (as) {
    case 'strongswan':
      return {
        [`${tunnel}.conf`]: of(strongswanCounterpart),
        [`${tunnel}-charon.conf`]: of(strongswanCounterpartDaemon),
        [`${tunnel}-network.sh`]: of(strongswanCounterpartNetwork),
        ...(maySpeakBgp(v, tunnel) && { [`${tunnel}-frr.conf`]: of(frrCounterpart) }),
      };
    case 'aws':
      return isTerraform ? { [`${tunnel}.tf`]: of(awsTerraform) } : { [`${tunnel}.txt`]: of(awsText) };
    // Its gateway is one for all tunnels.
    case 'gcp':
      return isTerraform ? { 'gcp.tf': gcpTerraform(v, tunnel, options) } : { 'gcp.txt': gcpText(v, tunnel, options) };
  }
}

/** Whether the tunnel has a BGP session, or may have one when the values are known. */
function maySpeakBgp(v: IpsecValues, tunnel: string): boolean {
  const speaks = reduce(nodeOf(speaksBgp(v, tunnelOf(v, tunnel))), new Map());
  return speaks.op !== 'literal' || speaks.value === true;
}

/** What of the values keeps the remote end of a tunnel from being configured so. */
export function counterpartRules(
  v: IpsecValues,
  tunnel: string,
  as: CounterpartKind,
  options: CounterpartOptions,
): Each<unknown> {
  return each(v.tunnels, (name, t) =>
    when(eq(name, tunnel), () =>
      as === 'strongswan'
        ? []
        : [
            check({
              failsIf: ne<string>(presetOf(t), as),
              at: text`${pathOf(t)}.preset`,
              problem: `is not ${as}, so the tunnel does not keep to what ${as} demands`,
              got: presetOf(t),
              remedy: `set it to ${as}, or ask for another kind of remote end`,
            }),
            when(eq<string>(presetOf(t), as), () => (as === 'aws' ? awsRules(v, t, options) : gcpRules(v))),
          ],
    ),
  );
}

/** That the values have the tunnel. */
export function knownTunnelRule(v: IpsecValues, tunnel: string): When<unknown> {
  return check({
    failsIf: not(hasKey(v.tunnels, tunnel)),
    at: text`tunnels`,
    problem: 'has no such tunnel',
    got: text`${tunnel}`,
    remedy: 'name one of its keys',
  });
}

/** What routers and clouds take: TCP MD5 has at most 80 bytes, and a blank would end a word of a configuration. */
export const BGP_PASSWORD_PATTERN = /^[!-~]{1,80}$/;
export const BGP_PASSWORD_PROBLEM = 'is not 1 to 80 printable ASCII characters without blanks';

interface OptionProblem {
  readonly option: keyof CounterpartOptions | 'as';
  readonly problem: string;
}

/** What is wrong with the options, which are known now. No problem shows a key. */
export function optionProblems(as: CounterpartKind, options: CounterpartOptions): OptionProblem[] {
  const { address, format, presharedKey, secretLine, bgpPassword } = options;
  if (!COUNTERPARTS.includes(as))
    return [
      {
        option: 'as',
        problem: `is no kind of remote end, got ${JSON.stringify(as)}; choose one of ${COUNTERPARTS.join(', ')}`,
      },
    ];
  const problems: OptionProblem[] = [];
  const refuse = (option: keyof CounterpartOptions, problem: string): void => {
    problems.push({ option, problem });
  };
  if (bgpPassword !== undefined && !PRESETS[as].bgp.passwords)
    refuse('bgpPassword', `is not used, since a remote end of the kind ${as} knows no passwords of BGP; leave it out`);
  else if (bgpPassword !== undefined && !BGP_PASSWORD_PATTERN.test(bgpPassword))
    refuse('bgpPassword', `${BGP_PASSWORD_PROBLEM}; choose another`);
  if (as === 'strongswan') {
    if (format === 'terraform') refuse('format', 'there is nothing for Terraform at a router; leave it out');
    if (presharedKey !== undefined) refuse('presharedKey', 'is for a cloud; use secretLine');
    return problems;
  }
  if (address !== undefined && as === 'gcp')
    refuse('address', 'is not used, since Cloud VPN knows the gateways by their identities; leave it out');
  if (address !== undefined && as === 'aws' && !IPV4_PATTERN.test(address))
    refuse('address', `is not an IPv4 address, as customer gateways have, got ${JSON.stringify(address)}; name one`);
  if (secretLine !== undefined) refuse('secretLine', 'is for strongSwan; use presharedKey');
  const { pattern, problem, remedy } = PRESETS[as].keyRule;
  if (presharedKey !== undefined && !pattern.test(presharedKey)) refuse('presharedKey', `${problem}; ${remedy}`);
  return problems;
}

/** @throws InputError with what is wrong with the options */
export function refuseOptions(as: CounterpartKind, options: CounterpartOptions): void {
  const problems = optionProblems(as, options);
  if (problems.length > 0) throw new InputError(problems.map(({ option, problem }) => `${option}: ${problem}`));
}
