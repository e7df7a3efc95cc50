/**
 * Self-contained pages, one HTML file each, that load nothing: headings, texts, tables and plots
 * without scripts, or what one script of the caller's builds. What stands on a page is its
 * caller's.
 *
 * <p>May use: nothing of ours.
 */
@NullMarked
package dev.distillery.core.page;

import org.jspecify.annotations.NullMarked;
