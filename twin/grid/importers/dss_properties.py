"""Classes of OpenDSS that can be converted, and their properties in the order that positions count."""

PROPERTIES: dict[str, tuple[str, ...]] = {
    kind: tuple(names.split())
    for kind, names in {
        "vsource": """
            bus1 basekv pu angle frequency phases mvasc3 mvasc1 x1r1 x0r0 isc3 isc1 r1 x1 r0 x0 scantype
            sequence bus2 z1 z0 z2 puz1 puz0 puz2 basemva yearly daily duty model puzideal spectrum
            basefreq enabled like
        """,
        "linecode": """
            nphases r1 x1 r0 x0 c1 c0 units rmatrix xmatrix cmatrix basefreq normamps emergamps faultrate
            pctperm repair kron rg xg rho neutral b1 b0 seasons ratings linetype like
        """,
        "line": """
            bus1 bus2 linecode length phases r1 x1 r0 x0 c1 c0 rmatrix xmatrix cmatrix switch rg xg rho
            geometry units spacing wires earthmodel cncables tscables b1 b0 seasons ratings linetype
            normamps emergamps faultrate pctperm repair basefreq enabled like
        """,
        "transformer": """
            phases windings wdg bus conn kv kva tap %r rneut xneut buses conns kvs kvas taps xhl xht xlt
            xscarray thermal n m flrise hsrise %loadloss %noloadloss normhkva emerghkva sub maxtap mintap
            numtaps subname %imag ppm_antifloat %rs bank xfmrcode xrconst x12 x13 x23 leadlag wdgcurrents
            core rdcohms seasons ratings normamps emergamps faultrate pctperm repair basefreq enabled like
        """,
        "xfmrcode": """
            phases windings wdg conn kv kva tap %r rneut xneut conns kvs kvas taps xhl xht xlt xscarray
            thermal n m flrise hsrise %loadloss %noloadloss normhkva emerghkva maxtap mintap numtaps %imag
            ppm_antifloat %rs x12 x13 x23 rdcohms seasons ratings like
        """,
        "regcontrol": """
            transformer winding vreg band ptratio ctprim r x bus delay reversible revvreg revband revr
            revx tapdelay debugtrace maxtapchange inversetime tapwinding vlimit ptphase revthreshold
            revdelay revneutral eventlog remoteptratio tapnum reset ldc_z rev_z cogen basefreq enabled
            like
        """,
        "load": """
            phases bus1 kv kw pf model yearly daily duty growth conn kvar rneut xneut status class vminpu
            vmaxpu vminnorm vminemerg xfkva allocationfactor kva %mean %stddev cvrwatts cvrvars kwh
            kwhdays cfactor cvrcurve numcust zipv %seriesrl relweight vlowpu puxharm xrharm spectrum
            basefreq enabled like
        """,
        "capacitor": """
            bus1 bus2 phases kvar kv conn cmatrix cuf r xl harm numsteps states normamps emergamps
            faultrate pctperm repair basefreq enabled like
        """,
        "reactor": """
            bus1 bus2 phases kvar kv conn rmatrix xmatrix parallel r x rp z1 z2 z0 z rcurve lcurve lmh
            normamps emergamps faultrate pctperm repair basefreq enabled like
        """,
        "spectrum": """
            numharm harmonic %mag angle csvfile like
        """,
    }.items()
}
"""Properties of each class."""

DATA_ONLY = {
    "loadshape": "load shapes",
    "tshape": "temperature shapes",
    "priceshape": "price shapes",
    "growthshape": "growth shapes",
    "xycurve": "curves",
    "tcc_curve": "time-current curves",
    "monitor": "monitors",
    "energymeter": "energy meters",
    "sensor": "sensors",
    "wiredata": "wire data",
    "cndata": "cable data",
    "tsdata": "cable data",
    "linespacing": "line spacings",
    "linegeometry": "line geometries",
}
"""Classes that change no steady state by themselves, by what they are called in an assumption."""


def property_name(kind: str, written: str) -> str | None:
    """Return a property's full name: itself, or the first that begins so; None when there is none."""
    names = PROPERTIES[kind]
    wanted = {"%pctr": "%r", "cond": "conn"}.get(written, written)
    if wanted in names:
        return wanted
    return next((name for name in names if wanted and name.startswith(wanted)), None)


def property_after(kind: str, last: str) -> str | None:
    """Return the property that a bare value sets after ``last`` (empty: the first); None at the end."""
    names = PROPERTIES[kind]
    at = names.index(last) + 1 if last else 0
    return names[at] if at < len(names) else None
