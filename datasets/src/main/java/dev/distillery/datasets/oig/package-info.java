/** OIG: dialogues written as one text with marks. */
@NullMarked
package dev.distillery.datasets.oig;

import org.jspecify.annotations.NullMarked;
