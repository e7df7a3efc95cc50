/**
 * What is measured and changed in a text: HTML to Markdown, tokens, ROUGE-L, the pool that a new
 * text is compared with. Everything here is plain Java on strings and arrays; reading tables and
 * running on a cluster belong to the jobs.
 *
 * <p>May use: core.random.
 */
@NullMarked
package dev.distillery.core.text;

import org.jspecify.annotations.NullMarked;
