/** Alpaca and whatever has its shape: instruction, input, output. */
@NullMarked
package dev.distillery.datasets.alpaca;

import org.jspecify.annotations.NullMarked;
