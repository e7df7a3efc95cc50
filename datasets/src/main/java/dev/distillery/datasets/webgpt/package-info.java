/** OpenAI's comparisons of WebGPT's answers. */
@NullMarked
package dev.distillery.datasets.webgpt;

import org.jspecify.annotations.NullMarked;
