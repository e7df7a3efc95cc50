/** Plain texts. */
@NullMarked
package dev.distillery.datasets.documents;

import org.jspecify.annotations.NullMarked;
