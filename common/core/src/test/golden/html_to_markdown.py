"""Writes html-to-markdown.json: pages of our own, and the Markdown that markdownify makes of them.

    python3 -m venv venv && venv/bin/pip install beautifulsoup4 markdownify==0.11.6
    venv/bin/python common/core/src/test/golden/html_to_markdown.py
"""

import json
import pathlib

import markdownify

OUTPUT = pathlib.Path(__file__).resolve().parents[1] / "resources/golden/html-to-markdown.json"

PAGES = [
    "",
    "plain words, no markup",
    "two  blanks\tand a tab, snake_case and 2*3",
    "<p>One paragraph.</p><p>Another, with <b>bold </b>and<i> slanted</i> words.</p>",
    "<h1>Title</h1><h2>Part é</h2><h3>Section</h3><p>Text</p><h1> </h1>",
    "<h2>With <code>code_x</code> and <br>break</h2>",
    "<p>Line one<br>line two<br/>line three</p><hr><p>after</p>",
    "<ul>\n<li>one</li>\n<li>two\n<ul>\n<li>inner</li>\n<li>inner 2<ul><li>deep</li></ul></li>\n</ul>\n</li>\n</ul>\n<p>end</p>",
    '<ol start="3">\n<li><p>three</p></li>\n<li><p>four</p>\n</li>\n</ol>',
    "<ol><li>a</li><li>b<ol><li>b1</li></ol></li></ol><ul><li>next</li></ul>after",
    "<pre><code>def f(a_b):\n\treturn  a_b * 2\n</code></pre>",
    '<pre><code class="language-python">print("&lt;tag&gt; &amp; more")\n\n\nx = 1\n</code></pre><p>and <code>in  line_x</code></p>',
    "<pre>no code tag\n   keeps   blanks</pre>",
    "<pre></pre><p></p><b> </b>",
    "<blockquote>\n<p>Quoted.</p>\n<p>Twice.</p>\n</blockquote>\n<p>Reply</p>",
    '<a href="https://example.org/a_b">https://example.org/a_b</a> and <a href="/x?a=1&amp;b=2" title="say &quot;x&quot;">here</a>, <a>no link</a>',
    '<p>see <a href="https://example.org"> spaced </a>.</p><img src="a.png" alt="An image" title="T">',
    "<table>\n<thead>\n<tr>\n<th>A</th>\n<th>B</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>1</td>\n<td>x_y</td>\n</tr>\n</tbody>\n</table>",
    "<table><tr><td>no</td><td>head</td></tr><tr><td>2</td><td><p>para</p></td></tr></table>text",
    "<table><tbody><tr><th>row</th><td>1</td></tr></tbody></table>",
    "unclosed <p>para <b>bold <i>both</b> after</p></div> stray",
    "a < b and c > d, x<y, 1 <2, <3, AT&T &amp; co &copy; &eacute; &#8217; &#x2014; &#150; &nbsp;end",
    "<p>comment <!-- hidden <b>x</b> -->shown</p><!DOCTYPE html>",
    "<?php echo 1; ?> tail",
    "<del>gone</del> <s>struck</s> x<sup>2</sup> H<sub>2</sub>O <kbd>Ctrl</kbd> <samp>out</samp>",
    "<P CLASS=big>Upper <STRONG>case</STRONG></P>",
    "<p>\u00a0no-break\u00a0</p><b>\u00a0bold\u00a0</b>",
    "<li>orphan</li><td>cell</td>",
    '<h3>Head <img src="i.png" alt="pic"></h3><ul><li></li><li> </li></ul>',
    "<details><summary>More</summary><p>Body</p></details>",
]

OUTPUT.parent.mkdir(parents=True, exist_ok=True)
OUTPUT.write_text(
    json.dumps(
        [{"html": page, "markdown": markdownify.markdownify(page)} for page in PAGES],
        indent=1,
        ensure_ascii=True,
    )
    + "\n"
)
print(f"{len(PAGES)} pages to {OUTPUT}")
