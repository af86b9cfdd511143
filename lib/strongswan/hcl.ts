import { each, join, json, replace, text, type Expr } from '../staged';

/** A text of one line as a quoted string of HCL, Terraform's language: `${` and `%{` would begin a template in it. */
export const hcl = (value: string | Expr<string>): Expr<string> =>
  json(replace('%{', '%%{', replace('${', '$${', value)));

/** A list of such texts. */
export const hclList = (list: Expr<readonly string[]>): Expr<string> =>
  text`[${join(
    ', ',
    each(list, (item) => hcl(item)),
  )}]`;

/** The name of a tunnel's own resources and variables: an identifier of HCL that an environment variable may have too. */
export const hclName = (tunnel: Expr<string>): Expr<string> => text`vpn_${replace('-', '_', tunnel)}`;
