/**
 * Pure functions over text: HTML to Markdown, language identification, normalisation, tokenizers
 * and overlap metrics. No files, no network, no Spark; what knows a public source's format lives in
 * the datasets module.
 */
@NullMarked
package dev.distillery.core.text;

import org.jspecify.annotations.NullMarked;
