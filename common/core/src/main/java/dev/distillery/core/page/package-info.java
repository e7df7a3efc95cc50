/**
 * Self-contained pages: headings, texts, tables and plots in one HTML file without scripts, that
 * asks the network for nothing. What stands on a page is its caller's.
 *
 * <p>May use: nothing of ours.
 */
@NullMarked
package dev.distillery.core.page;

import org.jspecify.annotations.NullMarked;
