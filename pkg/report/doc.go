// Package report shows what permdrift knows as files that people keep, print and
// send on. It decides nothing and reads nothing: it gets values, and a place to
// write to.
//
//	WhoCan   one HTML page: who can invoke or administer a function, and why
//
// # The page
//
// A page is one file. It asks for nothing on the network, runs no script, and its
// Content-Security-Policy allows nothing but its own style sheet, by hash. It can
// be read without colours, on a narrow screen, in the dark and on paper. The same
// values give the same bytes: the time that a page bears is an argument.
//
// For each answer, that is each place of a function, there is a heading, a graph,
// and a table of the grants: who, how far outside that is, through which
// statements and under which conditions, what must hold besides, who may assume
// the role. At the end stands what was not read.
//
// # The graph
//
// The graph is SVG within the page, drawn in columns:
//
//	may assume the role  ->  can  ->  through  ->  place of the function
//
// Somebody who both may assume a role and can by himself stands in two columns.
// An edge is dashed where all that it stands for is not certain, or hangs on
// policies that were not read. What a function URL takes is one node, since it
// takes all of it.
//
// # What is left out
//
// Whatever is left out is counted: "and 9 more". A column of the graph has at
// most 24 nodes, the table of a place 1,000 grants, a list in a cell 20 items. The
// widest exposure comes first, so that this is what stays. The JSON of
// "permdrift who-can" has all.
//
// # What an attacker may write
//
// Names, Sids and conditions are chosen by whoever made them. All of them are
// escaped for the place where they stand (html/template), and what is not
// printable (control characters, bidirectional marks, bytes that are not UTF-8)
// is shown as \u202e, or \x80.
//
// # Not promised
//
// The wording, the looks and the structure of a page: who reads it with a program
// should read the JSON. The width of a text is guessed from its characters.
package report
