/** Texts of a length that make Markdown parsers, sanitizers or browsers work hard, by what they are made of. */
export function bombs(length: number): Readonly<Record<string, string>> {
  const fill = (part: string, of = length) => part.repeat(Math.ceil(of / part.length)).slice(0, of)
  const halves = (a: string, b: string) => fill(a, length / 2) + fill(b, length / 2)
  const stairs = (step: string, end: string) => {
    const steps = Array.from(
      { length: Math.floor(Math.sqrt((2 * length) / step.length)) },
      (_, i) => step.repeat(i) + end,
    )
    return steps.join('').slice(0, length)
  }
  const columns = Math.floor(Math.sqrt(length))
  return {
    'a long line': fill('x'),
    'quotes in quotes': fill('> '),
    'quotes and lists': fill('> 1. > - a\n'),
    'lists that grow': stairs(' ', '- a\n'),
    'list items': fill('- a\n'),
    'lazy lines': `${'> '.repeat(30)}${fill('a\n')}`,
    'brackets in brackets': halves('[', ']'),
    'images in images': halves('![', '](a)'),
    emphasis: halves('*a **a ', 'b** c* '),
    'emphasis in emphasis': halves('*', 'a*'),
    'backticks that grow': stairs('`', 'e'),
    references: `[a]: https://a.example/${'u'.repeat(1900)}\n\n${fill('[a] ')}`,
    'table rows': `a|b\n-|-\n${fill('c|d\n')}`,
    'table cells': `${'a|'.repeat(columns)}\n${'-|'.repeat(columns)}\n${fill('|\n')}`,
    'elements in elements': fill('<b>'),
    attributes: `<p ${Array.from({ length: length / 8 }, (_, i) => `a${i}=b`).join(' ')}>`,
    'tags without an end': fill('<a '),
    'comments without an end': `x${fill('<!--')}`,
    entities: fill('&#x'),
  }
}
