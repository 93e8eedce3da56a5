"""An ELAN package: tiers and curves beside the video, or added to a copy of a person's own file.

H. Sloetjes, P. Wittenburg, "Annotation by Category: ELAN and ISO DCR", LREC 2008. Formats: EAF 3.0
(https://www.mpi.nl/tools/elan/EAFv3.0.xsd), and what ELAN 6 reads of curves and of its views.
"""
