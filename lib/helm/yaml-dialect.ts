import { Lexer } from 'yaml';
import { TOO_DEEP, type FileReport } from './file-report';

/** Maps and lists in one another: far more than anybody writes, and few enough for whatever reads them after this. */
export const MAX_NESTING = 500;

/**
 * The lexemes of a YAML text. As they pass, what this YAML 1.2 parser reads and Go's YAML 1.1 parser refuses or reads as
 * something else is reported.
 */
export function* checkedLexemes(source: string, report: FileReport): Generator<string, void> {
  let offset = 0;
  let depth = 0;
  let before = '\n';
  let beforeThat = '';
  let plain = false;
  for (const token of new Lexer().lex(source)) {
    yield token;
    if (/^[\x02\x18\x1F]$/.test(token)) {
      plain = token === '\x1F';
      continue;
    }
    const end = offset + token.length;
    if (plain) {
      if (depth > 0 && isAmbiguousBetweenBrackets(token, source, end))
        report.at(offset, 'text with : or ? between brackets', 'put it in quotes');
    } else if (/^[ \t]+$/.test(token)) {
      const opens = before === '\n' || before === '-' || (before === ':' && beforeThat === '\n');
      if (depth === 0 && opens && token.includes('\t')) report.syntax('TAB_AS_INDENT', offset);
    } else if (token === '?') report.at(offset, 'a key after a question mark', 'write key: value');
    else if (token === ':' && before === '\n')
      report.at(offset, 'a colon that begins a line', 'write key: value in one line');
    else if (/^[&*](?![A-Za-z0-9_-]+$)/.test(token))
      report.at(offset, 'an odd character in the name of an anchor', 'use letters, digits, - and _');
    else if (/^["'][^]*\n/.test(token) && source[end] === ':') report.syntax('MULTILINE_IMPLICIT_KEY', offset);
    else if (token === '[' || token === '{') {
      if (++depth > MAX_NESTING) throw report.failure(offset, ...TOO_DEEP);
    } else if (token === ']' || token === '}') depth--;
    if (plain || !/^[ \t]+$/.test(token)) [beforeThat, before] = [before, plain ? 'x' : token];
    plain = false;
    offset = end;
  }
}

function isAmbiguousBetweenBrackets(text: string, source: string, end: number): boolean {
  const colonAtEnd = source[end] === ':' && ',[]{}'.includes(source[end + 1] ?? ' ');
  const severalLines = text.includes('\n') && /\s*:/y.test(source.slice(end, end + 100));
  return colonAtEnd || severalLines || text.includes('?') || text.startsWith(':');
}
