import { check, chooseSet, conf, isSet, orElse, text, type Expr, type When } from '../staged';
import type { CloudAlgorithms } from './cloud-algorithms';
import { hcl, hclName } from './hcl';
import type { TunnelValues } from './tunnel';

/** What an end at any cloud cannot be. */
export function cloudRule(t: TunnelValues, { cloud }: CloudAlgorithms): When<unknown> {
  return check({
    failsIf: isSet(t.postQuantumKey),
    at: t.postQuantumKey,
    problem: `is not possible: ${cloud} knows no post-quantum keys`,
    remedy: 'remove it',
  });
}

/** Where the pre-shared key of a tunnel is. */
function keyPlace(name: Expr<string>, t: TunnelValues): Expr<string> {
  return chooseSet(
    t.presharedKey.existingSecret,
    (secret) => text`the key ${orElse(t.presharedKey.key, 'psk')} of the Secret ${secret}`,
    text`tunnels.${name}.presharedKey.value`,
  );
}

/** The pre-shared key of a tunnel, or where it is. */
export function shownKey(name: Expr<string>, t: TunnelValues, presharedKey: string | undefined): Expr<string> {
  return presharedKey === undefined ? text`(${keyPlace(name, t)})` : text`${presharedKey}`;
}

/** The variable of Terraform that holds the pre-shared key of a tunnel: given here, or else in the environment. */
export function keyVariable(name: Expr<string>, t: TunnelValues, presharedKey: string | undefined): Expr<string> {
  const variable = text`${hclName(name)}_preshared_key`;
  if (presharedKey === undefined)
    return conf`

      # In the environment as TF_VAR_${variable}: ${keyPlace(name, t)}.
      variable "${variable}" {
        type      = string
        sensitive = true
      }
    `;
  return conf`

    variable "${variable}" {
      type      = string
      sensitive = true
      default   = ${hcl(presharedKey)}
    }
  `;
}
