# peers-from.jq: which peers of the sources are good, and what becomes of them; see peers-from.sh.
#
# jq -nrR --slurpfile settings FILE --rawfile conf FILE; each line of the input is `<source> TAB <peer> TAB <problem> TAB
# <text>`. A line of the output that begins with U+001E names the file in which the next ones stand; `end` comes last.
#
# The messages are those of lib/staged/problems.ts and checks.ts. Maps that grow in a loop are flat and only set with
# `.[$key] = …`, and whatever else looks at them is collected into a list before: jq copies a map that is held twice.

def cut: if length > 100 then .[:100] + "…" else . end;

def shown($secret):
  if $secret then
    if type == "string" then "a \(length)-character string"
    elif type == "array" then "a list"
    else "something of another type" end
  elif type == "object" then "a map"
  elif type == "array" then "a list"
  else tojson | cut end;

# What does not fit the schema, which has the keywords that peers-from.ts lets through.
def misfits($schema; $path; $hidden):
  (if $schema.secret == true then true else $hidden end) as $secret
  | def wrong($what; $remedy): "\($path): \($what), got \(shown($secret)); \($remedy)";
    def remedy($otherwise):
      if $schema | has("example") then "write it like \($schema.example | tojson)" else $otherwise end;
    def is($expected): if $expected == "integer" then type == "number" and . == floor else type == $expected end;
    def noun:
      $schema.noun // {
        string: "text",
        integer: (if type == "number" then "a whole number" else "a number" end),
        boolean: "true or false",
        array: "a list",
        object: "a map"
      }[$schema.type];
    if . == null then
      "\($path): is required, got nothing; \(remedy("give \(noun)"))"
    elif $schema.enum != null then
      ( select(all($schema.enum[] != .; .))
      | wrong("is not one of the choices"; "choose \($schema.enum | map(tojson) | join(" or "))")
      )
    elif is($schema.type) | not then
      wrong("must be \(noun)"; remedy("see the values table in the README"))
    elif type == "object" then
      ( ($schema.required // [])[] as $key
      | .[$key]
      | select(. == null)
      | misfits($schema.properties[$key]; "\($path).\($key)"; $secret)
      ),
      ( keys_unsorted[] as $key
      | ($key | cut) as $name
      | (if $path == "" then $name else "\($path).\($name)" end) as $below
      | .[$key]
      | if ($schema.properties // {}) | has($key) then
          values | misfits($schema.properties[$key]; $below; $secret)
        elif $schema.additionalProperties == false then
          "\($below): unknown key, got \($name | tojson); known here: \($schema.properties | keys_unsorted | join(", "))"
        elif [$key | misfits($schema.propertyNames; ""; false)] != [] then
          "\($below): is not a name that can be used here, got \($name | tojson); " +
            "use a name that matches /\($schema.propertyNames.pattern)/ and has at most \($schema.propertyNames.maxLength) characters"
        else
          misfits($schema.additionalProperties; $below; $secret)
        end
      )
    elif type == "array" then
      (select(length < ($schema.minItems // 0)) | wrong("is too short"; "use \($schema.minItems) or more")),
      (range(length) as $i | .[$i] | misfits($schema.items; "\($path)[\($i)]"; $secret))
    elif type == "string" then
      # ^ and $ are anchors of lines here.
      ( select($schema.pattern != null and (test("\\A" + $schema.pattern[1:-1] + "\\z") | not))
      | wrong("is not \($schema.noun // "in the right form")"; remedy("write it as /\($schema.pattern)/"))
      ),
      (select(length > ($schema.maxLength // length)) | wrong("is too long"; "use \($schema.maxLength) or less"))
    elif type == "number" then
      (select(. < ($schema.minimum // .)) | wrong("is too small"; "use \($schema.minimum) or more")),
      (select(. > ($schema.maximum // .)) | wrong("is too large"; "use \($schema.maximum) or less"))
    else empty end;

def isV6: contains(":");

# Bits of an address or a network, as networkBits of lib/net/cidr.ts has them.
def bits:
  ["0000","0001","0010","0011","0100","0101","0110","0111","1000","1001","1010","1011","1100","1101","1110","1111"] as $nibbles
  | def groups: if . == "" then [] else split(":") end;
    split("/") as [$address, $length]
  | if $address | isV6 then
      ($address | ascii_downcase | split("::") | map(groups)) as [$head, $tail]
      | $head + (if $tail == null then [] else [range(8 - ($head + $tail | length)) | "0"] + $tail end)
      | map(("000" + .)[-4:] | explode | map($nibbles[if . > 57 then . - 87 else . - 48 end]) | add)
      | "6." + add
    else
      $address | split(".") | map(tonumber | $nibbles[. / 16 | floor] + $nibbles[. % 16]) | "4." + add
    end
  | if $length == null then . else .[: 2 + ($length | tonumber)] end;

# The networks of the VPN, each as bits.
def vpn:
  map(values | bits as $prefix | (split("/")[0] | bits) as $base | {
    prefix: $prefix,
    base: $base,
    server: ($base[:-1] + "1"),
    broadcast: (if isV6 then null else $prefix + ($base[($prefix | length):] | gsub("0"; "1")) end)
  });

def addressProblems($vpn; $path):
  "choose another address of the network" as $remedy
  | def wrong($what; $remedy): "\($path): \($what), got \(tojson); \($remedy)";
    bits as $bits
  | [$vpn[] | select(.prefix as $prefix | $bits | startswith($prefix))] as $inside
  | if $inside == [] then
      if isV6 and ($vpn | length) == 1 then
        wrong("is an IPv6 address, but the VPN has no IPv6 network"; "set network6, or remove the address")
      else wrong("is outside the network of the VPN"; "choose an address of the network") end
    elif $inside[0].server == $bits then wrong("is the server’s own address"; $remedy)
    elif $inside[0].base == $bits then wrong("is the address of the network itself"; $remedy)
    elif $inside[0].broadcast == $bits then wrong("is the broadcast address of the network"; $remedy)
    else empty end;

def hostPartProblems($path):
  bits as $bits
  | select(split("/")[0] | bits[($bits | length):] | contains("1"))
  | "\($path): is an address inside a network, not the network, got \(tojson); " +
      "set the bits behind the prefix length to zero";

def networkProblems($vpn; $path):
  def wrong($what; $remedy): "\($path): \($what), got \(tojson); \($remedy)";
  bits as $bits
  | if [hostPartProblems($path)] != [] then hostPartProblems($path)
    elif isV6 and ($vpn | length) == 1 then
      wrong("is an IPv6 network, but the VPN has no IPv6 network"; "set network6, or remove the network")
    elif any($vpn[].prefix; . as $prefix | ($bits | startswith($prefix)) or ($prefix | startswith($bits))) then
      wrong("overlaps with the VPN’s own network"; "a routed network lies behind the peer: name that one")
    else empty end;

def allowProblems($path):
  keys[] as $rule
  | "\($path).\($rule)" as $at
  | .[$rule]
  | ( select((.networks // []) == [] and (.peers // []) == [])
    | "\($at): names neither networks nor peers; say where the ports are, or remove the rule"
    ),
    ( (.ports // []) as $ports
    | range($ports | length) as $i
    | $ports[$i]
    | select(.endPort != null and .endPort < .port)
    | "\($at).ports[\($i)].endPort: is below the first port \(.port), got \(.endPort); put the lower port first"
    );

# What only peers of the sources may not say. It is asked before the schema, which would show a key in the wrong place.
def specialProblems($kind; $path):
  objects
  | ( select(.generate == true)
    | "\($path).generate: is set, but keys are generated for peers of the values only; remove it, and give the publicKey"
    ),
    ( .presharedKey
    | objects
    | ( select(.existingSecret != null)
      | "\($path).presharedKey.existingSecret: cannot be used here; give the key itself as presharedKey.value: this Secret is mounted already"
      ),
      ( select(.value != null and $kind != "Secret")
      | "\($path).presharedKey.value: a secret has no place in a ConfigMap; keep this peer in a Secret"
      )
    );

# The rules that ask for no other peer.
def ownProblems($vpn; $path):
  ( select(.publicKey == null)
  | "\($path): has no publicKey; set publicKey to what `wg pubkey` prints"
  ),
  ( .presharedKey
  | values
  | if .value == null then "\($path).presharedKey: has no value; set it to what `wg genpsk` prints, or remove presharedKey"
    else
      .value
      | select(test("\\A[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=\\z") | not)
      | "\($path).presharedKey.value: is not a WireGuard key: 32 bytes in base64, 44 characters; make one with `wg genpsk`"
    end
  ),
  (.addresses as $all | range($all | length) as $i | $all[$i] | addressProblems($vpn; "\($path).addresses[\($i)]")),
  ( (.routedNetworks // []) as $all
  | range($all | length) as $i
  | $all[$i]
  | networkProblems($vpn; "\($path).routedNetworks[\($i)]")
  ),
  ( (.client.allowedIPs // []) as $networks
  | range($networks | length) as $i
  | $networks[$i]
  | hostPartProblems("\($path).client.allowedIPs[\($i)]")
  ),
  (.allow | values | allowProblems("\($path).allow"));

# An entry of a file: with `peer`, or with `refusal`.
def entry($settings; $vpn):
  split("\t") as [$source, $name, $problem, $text]
  | {source: $source, name: $name}
  | if $problem != "" then .refusal = "\($name): \($problem)"
    else
      # Never jq's own message: it shows the text.
      [$text | try fromjson catch empty] as $parsed
      | if ($parsed | length) != 1 then
          .refusal = "\($name): is not one JSON value; write one entry of `peers` as JSON"
        else
          $parsed[0] as $peer
          | [ first(
              ($peer | specialProblems($settings.sources[$source]; $name)),
              # A whole Secret of something else may be here, so no scalar of it is shown.
              ($peer | select(type != "object") | "\($name): must be a map, got \(shown(true)); write one entry of `peers` as JSON"),
              ({($name): $peer} | misfits($settings.peers; ""; false)),
              ($peer | ownProblems($vpn; $name))
            ) ] as $problems
          | if $problems == [] then .peer = $peer else .refusal = $problems[0] end
        end
    end;

# The peers of wg.conf.
def configured:
  split("\n# name = ")[1:] | map(split("\n") | {
    name: (.[0] | rtrimstr("\r")),
    publicKey: (map(select(startswith("PublicKey = "))[12:])[0]),
    allowed: map(select(startswith("AllowedIPs = "))[13:])
  } | {
    name,
    publicKey,
    addresses: (.allowed[0] // "" | split(", ")),
    routedNetworks: .allowed[1:]
  });

# What a peer takes that nobody else may have: the keys to look for, and those to set to its path. A network is in the way
# of those around and inside it; of those around it only the ones that occur count, so that their number is small.
def claims($path; $lengths; $networks):
  def each($list): (.[$list] // []) as $all | range($all | length) as $i | {path: "\($path).\($list)[\($i)]", text: $all[$i]};
  ( .publicKey
  | values
  | ["key " + .]
  | {path: "\($path).publicKey", asks: ., sets: ., verb: "is the same key as", remedy: "WireGuard knows a peer by its key: give each its own"}
  ),
  ( (each("addresses") | (["address " + (.text | if isV6 then bits else . end)]) as $key | {path, asks: $key, sets: $key}),
    ( each("routedNetworks")
    | (.text | bits) as $bits
    | [$lengths[$bits[:2]][] | select(. < ($bits | length)) | $bits[:.] | select($networks[.])] as $around
    | {path, asks: ["network " + ($bits, $around[]), "below " + $bits], sets: ["network " + $bits, "below " + $around[]]}
    )
  | .verb = "overlaps with"
  | .remedy = "WireGuard sends a packet to one peer only: give every network to one peer, once"
  );

# The first claim that finds its place taken, as a message. The input is what is taken.
def clash($claims):
  [$claims[] as $claim | .[$claim.asks[]] | values | "\($claim.path): \($claim.verb) \(.); \($claim.remedy)"][0];

def take($claims): reduce ($claims[] | .path as $path | .sets[] | [., $path]) as [$key, $path] (.; .[$key] = $path);

def clashInside($claims):
  reduce $claims[] as $claim ({}; (.[""] // clash([$claim])) as $problem | take([$claim]) | .[""] = $problem) | .[""];

def wgLines:
  "",
  "# name = \(.name)",
  "[Peer]",
  ( .peer
  | "PublicKey = \(.publicKey)",
    (.presharedKey | values | "PresharedKey = \(.value)"),
    "AllowedIPs = \(.addresses | join(", "))",
    "AllowedIPs = \((.routedNetworks // [])[])",
    (.endpoint | values | "Endpoint = \(.)"),
    (.persistentKeepaliveSeconds | values | "PersistentKeepalive = \(floor + 0)")
  );

def acceptLines($ports):
  "    \(if isV6 then "ip6" else "ip" end) daddr \(.)" as $match
  | if $ports == null then "\($match) accept"
    else
      $ports[]
      | "\($match) \(.protocol // "TCP" | ascii_downcase) dport \(.port | floor)\(.endPort | if . == null then "" else "-\(floor)" end) accept"
    end;

def chainLines($peers):
  ( .peer.allow
  | keys[] as $rule
  | "    # \($rule)",
    ( .[$rule]
    | .ports as $ports
    | ((.networks // [])[], ((.peers // [])[] | $peers[.] | .addresses[], (.routedNetworks // [])[]))
    | acceptLines($ports)
    )
  ),
  "    drop";

def block($head; $lines): select($lines != []) | "  \($head) {", $lines[], "  }";

def elements($type; $elements):
  select($elements != []) | "    type \($type)", "    flags interval", "    elements = {", "      \($elements[]),", "    }";

# Maps and sets of their own, and rules behind those of the chart: what is added to a map of another block, nft 1.0 puts
# into that block, where the chains of this one are not known.
def nftLines($peers; $settings):
  def verdicts($v6):
    [ .[]
      | select(.peer.allow != null)
      | .name as $name
      | .peer
      | (.addresses, .routedNetworks // [])[]
      | select(isV6 == $v6)
      | "\(.) : goto peer-\($name)"
    ];
  def routed($v6):
    [select($settings.mode == "masquerade") | .[].peer | (.routedNetworks // [])[] | select(isV6 == $v6)];
  def rule($elements; $rule): select($elements != []) | "    \($rule)";
  "oifname != \"\($settings.interface)\" masquerade" as $masquerade
  | verdicts(false) as $verdicts4
  | verdicts(true) as $verdicts6
  | routed(false) as $routed4
  | routed(true) as $routed6
  | [
      block("map sources4"; [elements("ipv4_addr : verdict"; $verdicts4)]),
      block("map sources6"; [elements("ipv6_addr : verdict"; $verdicts6)]),
      (.[] | select(.peer.allow != null) | block("chain peer-\(.name)"; [chainLines($peers)])),
      block("chain access"; [rule($verdicts4; "ip saddr vmap @sources4"), rule($verdicts6; "ip6 saddr vmap @sources6")]),
      block("set routed4"; [elements("ipv4_addr"; $routed4)]),
      block("set routed6"; [elements("ipv6_addr"; $routed6)]),
      block(
        "chain postrouting";
        [rule($routed4; "ip saddr @routed4 \($masquerade)"), rule($routed6; "ip6 saddr @routed6 \($masquerade)")]
      )
    ]
  | select(. != [])
  | "table inet vpn {", .[], "}";

$settings[0] as $settings
| ([$settings.network, $settings.network6] | vpn) as $vpn
| ($conf | configured) as $values
| ([inputs | entry($settings; $vpn)] | sort_by([.source, .name])) as $entries

# First come, first served: names, then what the peers claim.
| [($values[], ($entries[].peer | values)) | (.routedNetworks // [])[] | bits] as $all
| (reduce $all[] as $network ({}; .[$network] = true)) as $networks
| (reduce ($all | map([.[:2], length]) | unique[]) as [$family, $length] ({"4.": [], "6.": []}; .[$family] += [$length])) as $lengths
| (reduce $values[] as $peer (
    ($conf | [split("\n")[] | select(startswith("# public-key = "))[15:] | {key: "key \(.)", value: "that of the server"}] | from_entries);
    .["name \($peer.name)"] = "the values"
    | take([$peer | claims("peers.\(.name)"; $lengths; $networks)])
  )) as $taken
| [ foreach $entries[] as $entry (
      $taken;
      .["name \($entry.name)"] as $owner
      | if $owner != null then .[""] = "\($entry.name): is a peer of \($owner) already; give each peer a name of its own"
        else
          .["name \($entry.name)"] = "the source \($entry.source)"
          | if $entry.refusal != null then .[""] = $entry.refusal
            else
              [$entry | .name as $name | .peer | claims($name; $lengths; $networks)] as $claims
              | (clashInside($claims) // clash($claims)) as $problem
              | .[""] = $problem
              | if $problem == null then take($claims) else . end
            end
        end;
      .[""]
    )
  ] as $refusals
| [range($entries | length) as $i | $entries[$i] | .refusal = $refusals[$i]] as $judged

# Who names a peer that is none is none either.
| ([$judged[] | select(.refusal == null) | .name as $from | .peer.allow | values | .[] | (.peers // [])[] | {from: $from, to: .}]
  | group_by(.to) | map({key: .[0].to, value: map(.from)}) | from_entries) as $naming
| (reduce ($values[], ($judged[] | select(.refusal == null))) as $peer ({}; .[$peer.name] = true)) as $known
| ([$naming | keys[] | select($known[.] == null)] as $strangers
  # "#0", "#1", …: those who are none, in the order in which it came out; "" is their number.
  | (reduce range($strangers | length) as $i ({}; .[$strangers[$i]] = true | .["#\($i)"] = $strangers[$i])) as $first
  | reduce range(($strangers | length) + ($judged | length)) as $i (
      $first | .[""] = ($strangers | length);
      [.["#\($i)"] | values | $naming[.] | values | .[]] as $from
      | reduce $from[] as $from (
          .;
          if .[$from] then .
          else .[""] as $count | .[$from] = true | .["#\($count)"] = $from | .[""] = $count + 1 end
        )
    )) as $gone
| (reduce $entries[].name as $name ({}; .[$name] = true)) as $present
| ( reduce $values[] as $peer ({}; .[$peer.name] = $peer)
  | reduce ($judged[] | select(.refusal == null and $gone[.name] == null)) as $entry (.; .[$entry.name] = $entry.peer)
  ) as $peers
| [ $judged[]
    | if .refusal != null or $gone[.name] == null then .
      else
        .refusal = ([
          .name as $name
          | .peer.allow
          | keys[] as $rule
          | (.[$rule].peers // []) as $named
          | range($named | length) as $i
          | $named[$i]
          | select($peers[.] == null)
          | "\($name).allow.\($rule).peers[\($i)]: " +
            if $present[.] then "is left out itself, got \(tojson); correct that peer first"
            else "is not a peer, got \(tojson); name a key of peers" end
        ][0])
      end
  ] as $judged
| ($judged | map(select(.refusal == null))) as $good

| "\u001ewg",
  ($good[] | wgLines),
  "\u001enft",
  ($good | nftLines($peers; $settings)),
  "\u001eroutes",
  ($good[].peer | (.routedNetworks // [])[]),
  "\u001erefused",
  ( $judged[]
  | select(.refusal != null)
  | .refusal |= (explode | map(if . < 32 or (. > 126 and . < 160) then 63 else . end) | implode)
  | "\(.source)\t\(.name)\t\(.refusal)"
  ),
  "\u001eend"
