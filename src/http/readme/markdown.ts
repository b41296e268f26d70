import MarkdownIt from 'markdown-it'
import sanitizeHtml from 'sanitize-html'
import { safeUrl } from '../pages/safe-url.ts'

/** Nobody nests deeper by hand; what is deeper is flattened. */
const MAX_NESTING = 20
const MAX_TAGS_DEEP = 40
/** Of the markup; a README that grows to more in the rendering is an attack. */
const MAX_RENDERED = 4 * 1024 * 1024

/** What READMEs on crates.io and GitHub use, but for what loads, runs or asks for input. */
const TAGS = [
  ...[
    'h3',
    'h4',
    'h5',
    'h6',
    'p',
    'div',
    'blockquote',
    'pre',
    'hr',
    'br',
    'ul',
    'ol',
    'li',
    'dl',
    'dt',
    'dd',
  ],
  ...[
    'table',
    'caption',
    'thead',
    'tbody',
    'tfoot',
    'tr',
    'th',
    'td',
    'details',
    'summary',
    'figure',
    'figcaption',
  ],
  ...[
    'a',
    'span',
    'b',
    'strong',
    'i',
    'em',
    'code',
    'kbd',
    'samp',
    'var',
    'tt',
    's',
    'strike',
    'del',
    'ins',
    'q',
  ],
  ...['sub', 'sup', 'small', 'mark', 'abbr', 'cite', 'dfn', 'wbr', 'ruby', 'rt', 'rp', 'center'],
] as const

const markdown = new MarkdownIt('default', { html: true, linkify: false, maxNesting: MAX_NESTING })
// Addresses are judged by the sanitizer, those of raw HTML too.
markdown.validateLink = () => true
// Boxes of a task list are characters: an `input` would want a label, and nothing could be done with it.
markdown.core.ruler.after('inline', 'task', ({ tokens }) => {
  for (const [i, token] of tokens.entries()) {
    const first =
      token.type === 'inline' && tokens[i - 2]?.type === 'list_item_open' ? token.children?.[0] : undefined
    if (first?.type === 'text')
      first.content = first.content.replace(/^\[([ xX])\](?=\s)/, (_, mark) => (mark === ' ' ? '☐' : '☑'))
  }
})

/**
 * Markdown as markup that is inert: an allow list of elements, hardly any attributes, links to http, https and mailto
 * only. Relative links start at `base`; without one they are just text. Images are named, not shown. Headings begin
 * at the third level.
 * @throws {RangeError} when the markup gets too large
 */
export function renderMarkdown(text: string, base: string | undefined): string {
  const rendered = markdown.render(text)
  if (rendered.length > MAX_RENDERED) throw new RangeError('the README is too large when it is rendered')
  let openLinks = 0
  const clean = sanitizeHtml(rendered, {
    allowedTags: [...TAGS],
    allowedAttributes: {
      a: ['href', 'rel'],
      th: ['align', 'colspan', 'rowspan', 'scope'],
      td: ['align', 'colspan', 'rowspan'],
      ol: ['start'],
      details: ['open'],
      abbr: ['title'],
    },
    allowedSchemes: ['http', 'https', 'mailto'],
    allowProtocolRelative: false,
    disallowedTagsMode: 'discard',
    nonTextTags: [
      'script',
      'style',
      'textarea',
      'option',
      'xmp',
      'noscript',
      'template',
      'title',
      'svg',
      'math',
      'iframe',
      'object',
    ],
    nestingLimit: MAX_TAGS_DEEP,
    parseStyleAttributes: false,
    onOpenTag: (name) => {
      if (name === 'a') openLinks++
    },
    onCloseTag: (name) => {
      if (name === 'a') openLinks--
    },
    transformTags: {
      ...{ h1: 'h3', h2: 'h4', h3: 'h5', h4: 'h6', h5: 'h6' },
      a: (_, { href }) => link(href, base),
      img: (_, { alt = '', src }) => image(alt, openLinks > 0 ? undefined : src, base),
      th: (_, attributes) => ({ tagName: 'th', attribs: aligned(attributes) }),
      td: (_, attributes) => ({ tagName: 'td', attribs: aligned(attributes) }),
    },
  })
  return reachable(clean)
}

function link(href: string | undefined, base: string | undefined): sanitizeHtml.Tag {
  const address = href === undefined ? undefined : addressOf(href, base)
  if (address === undefined) return { tagName: 'span', attribs: {} }
  return { tagName: 'a', attribs: { href: address, rel: 'nofollow noopener noreferrer' } }
}

/** An image that is not in a link itself leads to where it can be seen. */
function image(alt: string, src: string | undefined, base: string | undefined): sanitizeHtml.Tag {
  const shown = link(src, base)
  return { ...shown, text: alt.trim() || (shown.tagName === 'a' ? 'image' : '') }
}

function addressOf(href: string, base: string | undefined): string | undefined {
  const text = href.trim()
  if (/^mailto:/i.test(text)) return text.length <= 500 ? text : undefined
  // Whatever has a scheme is whole; whatever begins with `#` is on a page that has no such marks.
  if (/^[a-z][a-z0-9+.-]*:/i.test(text)) return safeUrl(text)?.href
  if (base === undefined || text === '' || text.startsWith('#') || !URL.canParse(text, base)) return undefined
  const url = safeUrl(new URL(text, base).href)
  return url?.origin === new URL(base).origin ? url.href : undefined
}

/** Markdown aligns with a style, old HTML with an attribute. */
function aligned({ style, align, ...others }: sanitizeHtml.Attributes): sanitizeHtml.Attributes {
  const way = /^(?:text-align:)?(left|center|right)$/.exec(style ?? align ?? '')?.[1]
  return { ...others, ...(way !== undefined && { align: way }) }
}

/** What may be wider than the page scrolls by itself, by keyboard too. The sanitizer writes these tags in this one way. */
function reachable(markup: string): string {
  return markup
    .replaceAll('<table>', '<div class="scroll" role="group" aria-label="Table" tabindex="0"><table>')
    .replaceAll('</table>', '</table></div>')
    .replaceAll('<pre>', '<pre tabindex="0">')
}
