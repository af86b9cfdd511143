import { Composer, Parser, type CST, type Document } from 'yaml';
import { FileReport } from './file-report';
import type { ValuesFile } from './values-file';
import { ValuesReader } from './values-reader';
import { checkedLexemes } from './yaml-dialect';

/**
 * Reads the text of a values file as Helm does: YAML 1.1 booleans (also as keys), octal and binary numbers, dates as
 * strings, merge keys in their order. What Helm's versions read differently, or otherwise than a person would
 * (duplicate keys, several documents, odd line separators), is refused.
 *
 * @param name the file, as messages show it
 * @throws InputError with every problem of the text
 */
export function parseValuesFile(text: string, name: string): ValuesFile {
  const source = text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n');
  const report = new FileReport(name, source);
  report.characters();
  report.throwIfAny();

  const documents = documentsOf(source, report);
  refuseStream(source, documents, report);
  for (const { errors } of documents) for (const error of errors) report.syntax(error.code, error.pos[0]);
  report.throwIfAny();

  const document = documents[0];
  if (document === undefined || document.contents === null) return { name, values: {}, locate: () => undefined };
  const reader = new ValuesReader(source, report, document);
  const root = document.contents;
  const values = report.nesting(() => reader.root(root));
  report.throwIfAny();
  return {
    name,
    values,
    locate(path) {
      const offset = reader.find(root, path);
      return offset === undefined ? undefined : report.position(offset);
    },
  };
}

/** The documents of a text, whose scalars are still texts. */
function documentsOf(source: string, report: FileReport): Document.Parsed[] {
  const composer = new Composer({
    schema: 'failsafe',
    resolveKnownTags: false,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
  });
  return report.nesting(() => [...composer.compose(tokens(source, report))]);
}

/** Marks that belong to a stream of documents; a values file is one document, and Helm's versions differ on the rest. */
function refuseStream(source: string, documents: readonly Document.Parsed[], report: FileReport): void {
  if (documents[1] !== undefined)
    report.at(
      documents[1].range[0],
      'a second YAML document begins here',
      'give each document its own file and its own -f',
    );
  if (/^(?:[ \t]*(?:#.*)?\n)*%/.test(source))
    report.at(source.search(/^%/m), 'a YAML directive (%)', 'remove the line');
  const opening = /^---(?![ \t]*$|[ \t]+#)/m.exec(source);
  if (opening !== null) report.at(opening.index, 'text after ---, which Helm 4 refuses', 'begin a new line after ---');
  if (/^\.\.\.(?=\s|$)/m.test(source)) report.at(source.search(/^\.\.\./m), 'a document end (...)', 'remove the line');
}

/** As `Parser.parse` gives them; written out, so that the text is taken apart only once. */
function* tokens(source: string, report: FileReport): Generator<CST.Token, void> {
  const parser = new Parser();
  for (const lexeme of checkedLexemes(source, report)) yield* parser.next(lexeme);
  yield* parser.end();
}
