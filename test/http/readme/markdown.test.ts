import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderMarkdown } from '../../../src/http/readme/markdown.ts'

const BASE = 'https://github.com/acme/foo/blob/HEAD/'
const REL = 'rel="nofollow noopener noreferrer"'

const CASES: readonly (readonly [what: string, markdown: string, markup: string])[] = [
  [
    'headings begin at the third level',
    '# a\n## b\n### c\n#### d\n###### f',
    '<h3>a</h3>\n<h4>b</h4>\n<h5>c</h5>\n<h6>d</h6>\n<h6>f</h6>\n',
  ],
  ['headings of HTML too', '<h1 align="center" id="x">a</h1>', '<h3>a</h3>'],
  ['emphasis', '*a* **b** ~~c~~ `d`', '<p><em>a</em> <strong>b</strong> <s>c</s> <code>d</code></p>\n'],
  [
    'code loses the class of its language',
    '```rust,ignore\nlet a = "<b>";\n```',
    '<pre tabindex="0"><code>let a = "&lt;b&gt;";\n</code></pre>\n',
  ],
  ['task lists', '- [x] a\n- [ ] b\n- [z] c', '<ul>\n<li>☑ a</li>\n<li>☐ b</li>\n<li>[z] c</li>\n</ul>\n'],
  ['ordered lists go on', '3. a\n4. b', '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>\n'],
  [
    'raw HTML that is harmless',
    '<details open><summary>a</summary>\n\nb <kbd>c</kbd>\n\n</details>',
    '<details open><summary>a</summary>\n<p>b <kbd>c</kbd></p>\n</details>',
  ],
  ['raw HTML that is not closed stays within', '<div>a</div></div></main><b>c', '<div>a</div><b>c</b>'],
  [
    'links',
    '[a](https://b.example/c?d=1&e=2 "t")',
    `<p><a href="https://b.example/c?d=1&amp;e=2" ${REL}>a</a></p>\n`,
  ],
  ['mail', '<me@b.example>', `<p><a href="mailto:me@b.example" ${REL}>me@b.example</a></p>\n`],
  [
    'relative links',
    '[a](docs/b.md#c) [r](/LICENSE) [d](./x/../y)',
    `<p><a href="${BASE}docs/b.md#c" ${REL}>a</a> <a href="https://github.com/LICENSE" ${REL}>r</a> <a href="${BASE}y" ${REL}>d</a></p>\n`,
  ],
  [
    'links to other hosts in disguise',
    '[a](//evil.example/b) <a href="\\\\evil.example">c</a> <a href="/\\evil.example">d</a>',
    '<p><span>a</span> <span>c</span> <span>d</span></p>\n',
  ],
  ['marks', '[a](#b)', '<p><span>a</span></p>\n'],
  [
    'images are named and lead to where they are',
    '![A cat](img/cat.png)',
    `<p><a href="${BASE}img/cat.png" ${REL}>A cat</a></p>\n`,
  ],
  [
    'badges are links with a name',
    '[![Docs](https://d.example/b.svg)](https://d.example)',
    `<p><a href="https://d.example/" ${REL}><span>Docs</span></a></p>\n`,
  ],
  [
    'images of HTML',
    '<img src="x.png" alt="a" onerror="alert(1)" width=9>',
    `<a href="${BASE}x.png" ${REL}>a</a>`,
  ],
  ['images without a name', '![](x.png)', `<p><a href="${BASE}x.png" ${REL}>image</a></p>\n`],
  ['entities', '&lt;script&gt; &amp; &copy;', '<p>&lt;script&gt; &amp; ©</p>\n'],
  ['nothing', '', ''],
]

test('renderMarkdown() renders what READMEs are made of', () => {
  for (const [what, markdown, markup] of CASES) assert.equal(renderMarkdown(markdown, BASE), markup, what)
})

test('renderMarkdown() makes tables that scroll, and keeps their alignment', () => {
  const markup = renderMarkdown('| a | b |\n|:--|--:|\n| 1 | 2 |', undefined)
  assert.match(markup, /^<div class="scroll" role="group" aria-label="Table" tabindex="0"><table>/)
  assert.match(markup, /<th align="left">a<\/th>\s*<th align="right">b<\/th>/)
  assert.match(markup, /<\/table><\/div>\s*$/)
  const forged = renderMarkdown(
    '`<table>` &lt;table&gt; <td class="scroll" style="text-align:center;position:fixed">x</td>',
    undefined,
  )
  assert.doesNotMatch(forged, /scroll|fixed|<table/)
})

test('renderMarkdown() leaves relative links and images as text where the repository is not known', () => {
  assert.equal(
    renderMarkdown('[a](b.md) ![c](d.png) [e](https://f.example)', undefined),
    `<p><span>a</span> <span>c</span> <a href="https://f.example/" ${REL}>e</a></p>\n`,
  )
})

const EVIL = [
  '<script>alert(1)</script>',
  '<scr<script>ipt>alert(1)</scr</script>ipt>',
  '<img src=x onerror=alert(1)>',
  '<img src="javascript:alert(1)">',
  '<svg onload=alert(1)><script>alert(1)</script></svg>',
  '<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>',
  '<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>',
  '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
  '<object data="javascript:alert(1)"></object><embed src="javascript:alert(1)">',
  '<a href="javascript:alert(1)">x</a>',
  '<a href=" &#14;  java\tscript:alert(1)">x</a>',
  '<a href="&#106;&#97;vascript:alert(1)">x</a>',
  '<a href="JaVaScRiPt:alert(1)">x</a>',
  '<a href="vbscript:msgbox(1)">x</a>',
  '<a href="data:text/html,<script>alert(1)</script>">x</a>',
  '<a href="https://a.example" onclick="alert(1)" style="position:fixed" target=_top ping="https://p.example">x</a>',
  '[x](javascript:alert(1))',
  '[x](javascript&colon;alert(1))',
  '[x](  javascript:alert(1) "t")',
  '[x](data:text/html;base64,PHNjcmlwdD4=)',
  '[x](https://user:pass@evil.example/)',
  '![x](javascript:alert(1))',
  '![x" onerror="alert(1)](https://a.example/x.png)',
  '[a]: javascript:alert(1)\n\n[a]',
  '<javascript:alert(1)>',
  '<form action="https://evil.example"><input name=q autofocus onfocus=alert(1)><button formaction="javascript:alert(1)">x</button></form>',
  '<meta http-equiv="refresh" content="0;url=https://evil.example"><base href="https://evil.example/">',
  '<link rel=stylesheet href="https://evil.example/x.css"><style>@import "https://evil.example/x.css"; *{display:none}</style>',
  '<details open ontoggle=alert(1)><summary>x</summary></details>',
  '<video src=x onerror=alert(1)><source src=x onerror=alert(1)></video><audio src=x>',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>',
  '<template><script>alert(1)</script></template><xmp><script>alert(1)</script></xmp>',
  '<textarea><script>alert(1)</script></textarea><title><script>alert(1)</script></title>',
  '<!--><script>alert(1)</script>-->',
  '<![CDATA[<script>alert(1)</script>]]>',
  '<?php <script>alert(1)</script> ?>',
  '```"onmouseover="alert(1)\nx\n```',
  '<div class="top" id="main" style="position:fixed;inset:0" role="main" tabindex="1" aria-hidden="true">x</div>',
  '<p/onclick=alert(1)/"x>x</p><a href=https://a.example/onclick=alert(1)//>x</a>',
  '<marquee onstart=alert(1)>x</marquee><dialog open>x</dialog><isindex action=javascript:alert(1)>',
]

const HARMLESS = new Set(
  'h3 h4 h5 h6 a b s i p q ul ol li div pre code span em strong del table thead tbody tr th td details summary blockquote kbd br hr'.split(
    ' ',
  ),
)

test('renderMarkdown() makes whatever is in a README inert', () => {
  assert.ok(EVIL.length >= 30)
  for (const text of EVIL) {
    for (const markdown of [
      text,
      `a ${text} b`,
      `> - ${text}`,
      `| a |\n|---|\n| ${text} |`,
      `<div>${text}`,
    ]) {
      const markup = renderMarkdown(markdown, BASE)
      const unquoted = markup.replace(/"[^"]*"/g, '""')
      for (const [tag, name = ''] of unquoted.matchAll(/<\/?([^\s>/]*)/g))
        assert.ok(HARMLESS.has(name), `${tag} of ${markdown}`)
      for (const [, attributes = ''] of unquoted.matchAll(/<\w+([^>]*)>/g))
        assert.match(
          attributes,
          /^( (href|rel|align|open|start|tabindex|class|role|aria-label)(="")?| \/)*$/,
          markdown,
        )
      for (const [, href = ''] of markup.matchAll(/href="([^"]*)"/g))
        assert.match(href, /^(https?:\/\/[^@]*$|mailto:)/, markdown)
      for (const [, value = ''] of markup.matchAll(/class="([^"]*)"/g)) assert.equal(value, 'scroll')
    }
  }
})

test('renderMarkdown() flattens what is nested too deep', () => {
  const depth = (markup: string) => (markup.match(/<(blockquote|div|li|b)>/g) ?? []).length
  assert.ok(depth(renderMarkdown(`${'> '.repeat(5000)}x`, undefined)) <= 40)
  assert.ok(depth(renderMarkdown('<div>'.repeat(5000), undefined)) <= 40)
  assert.ok(depth(renderMarkdown('<b>'.repeat(5000), undefined)) <= 40)
})

test('renderMarkdown() refuses what grows without bounds', () => {
  const text = `[a]: https://a.example/${'u'.repeat(1900)}\n\n${'[a] '.repeat(20_000)}`
  assert.throws(() => renderMarkdown(text, undefined), RangeError)
})
