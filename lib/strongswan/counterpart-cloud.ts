import { check, chooseSet, conf, isSet, orElse, text, when, type Expr } from '../staged';
import type { Rules } from '../kubernetes/checks';
import { bgpPasswordKey, speaksBgp } from './bgp';
import { insideSpeakerCheck } from './bgp-checks';
import type { CloudAlgorithms } from './cloud-algorithms';
import { hcl, hclName } from './hcl';
import type { IpsecValues, TunnelValues } from './tunnel';

/** What an end at any cloud cannot be. */
export function cloudRules(v: IpsecValues, t: TunnelValues, { cloud }: CloudAlgorithms): Rules {
  return [
    check({
      failsIf: isSet(t.postQuantumKey),
      at: t.postQuantumKey,
      problem: `is not possible: ${cloud} knows no post-quantum keys`,
      remedy: 'remove it',
    }),
    when(speaksBgp(v, t), () => insideSpeakerCheck(t, cloud)),
  ];
}

/** The AS of the remote end of a tunnel with BGP. */
export const peerAs = (t: TunnelValues): Expr<number> => orElse(t.bgp.peerAs, 0);

/** Where the pre-shared key of a tunnel is. */
function keyPlace(name: Expr<string>, t: TunnelValues): Expr<string> {
  return chooseSet(
    t.presharedKey.existingSecret,
    (secret) => text`the key ${orElse(t.presharedKey.key, 'psk')} of the Secret ${secret}`,
    text`tunnels.${name}.presharedKey.value`,
  );
}

/** Where the password of the BGP session is. */
export const passwordPlace = (t: TunnelValues): Expr<string> =>
  text`the key ${bgpPasswordKey(t)} of the Secret ${orElse(t.bgp.password.existingSecret, '')}`;

/** The pre-shared key of a tunnel, or where it is. */
export function shownKey(name: Expr<string>, t: TunnelValues, presharedKey: string | undefined): Expr<string> {
  return presharedKey === undefined ? text`(${keyPlace(name, t)})` : text`${presharedKey}`;
}

/** The variable of Terraform that holds the pre-shared key of a tunnel: given here, or else in the environment. */
export function keyVariable(name: Expr<string>, t: TunnelValues, presharedKey: string | undefined): Expr<string> {
  return secretVariable(text`${hclName(name)}_preshared_key`, keyPlace(name, t), presharedKey);
}

/** The same of the password of its BGP session. */
export function passwordVariable(name: Expr<string>, t: TunnelValues, password: string | undefined): Expr<string> {
  return secretVariable(text`${hclName(name)}_bgp_password`, passwordPlace(t), password);
}

function secretVariable(variable: Expr<string>, place: Expr<string>, secret: string | undefined): Expr<string> {
  if (secret === undefined)
    return conf`

      # In the environment as TF_VAR_${variable}: ${place}.
      variable "${variable}" {
        type      = string
        sensitive = true
      }
    `;
  return conf`

    variable "${variable}" {
      type      = string
      sensitive = true
      default   = ${hcl(secret)}
    }
  `;
}
